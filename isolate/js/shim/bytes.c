#include "bytes.h"

#include "object.h"

static JSAtom buffer_atom, offset_atom, length_atom;

// whole borrows a buffer's bytes. A detached one throws in the C API; as a BufferSource it is empty.
static Bytes whole(JSContext *ctx, JSValueConst buffer) {
  Bytes all = {0};
  all.data = JS_GetArrayBuffer(ctx, &all.len, buffer);
  if (!all.data) {
    JS_FreeValue(ctx, JS_GetException(ctx));
    all.len = 0;
  }
  return all;
}

static bool window(JSContext *ctx, JSValue buffer, size_t offset, size_t len, Bytes *bytes) {
  Bytes all = whole(ctx, buffer);
  JS_FreeValue(ctx, buffer);
  bool inside = offset <= all.len && len <= all.len - offset;
  *bytes = inside && all.data ? (Bytes){all.data + offset, len} : (Bytes){0};
  return true;
}

static size_t number_of(JSContext *ctx, JSValueConst view, JSAtom name) {
  double number = 0;
  JSValue value = JS_GetProperty(ctx, view, name);
  if (JS_IsException(value) || JS_ToFloat64(ctx, &number, value) < 0) JS_FreeValue(ctx, JS_GetException(ctx));
  return number;
}

// The C API has no accessors for a DataView, so its own getters are asked.
static bool data_view(JSContext *ctx, JSValueConst view, Bytes *bytes) {
  if (!buffer_atom) {
    buffer_atom = JS_NewAtom(ctx, "buffer");
    offset_atom = JS_NewAtom(ctx, "byteOffset");
    length_atom = JS_NewAtom(ctx, "byteLength");
  }
  size_t offset = number_of(ctx, view, offset_atom), len = number_of(ctx, view, length_atom);
  return window(ctx, JS_GetProperty(ctx, view, buffer_atom), offset, len, bytes);
}

bool bytes_of(JSContext *ctx, JSValueConst value, Bytes *bytes) {
  if (!JS_IsObject(value)) return false;
  if (JS_IsArrayBuffer(value)) {
    *bytes = whole(ctx, value);
    return true;
  }
  if (JS_GetTypedArrayType(value) >= 0) {
    size_t offset, len, element;
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, &len, &element);
    return window(ctx, buffer, offset, len, bytes);
  }
  return JS_IsDataView(value) && data_view(ctx, value, bytes);
}
