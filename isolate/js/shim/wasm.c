#include "wasm.h"

#include <string.h>

#include "bytes.h"
#include "hooks.h"
#include "object.h"
#include "text.h"

// Type is a function's type. Types are kept for ever: modules have few.
typedef struct Type {
  struct Type *next;
  uint32_t params, results;
  char letters[];  // of the parameters, then of the results
} Type;

typedef struct {
  JSValue function;
  const Type *type;
} Import;

enum { MAX_IMPORTS = 1 << 20, FEW = 16 };

static Type *types;
static Import *imports;
static uint32_t import_count, import_room;
static JSValue thrown = JS_UNDEFINED;  // by an import, on its way through the host

static const Type *type_of(JSContext *ctx, JSValueConst value) {
  Text text;
  if (!usv_text(ctx, value, &text)) return NULL;
  const char *arrow = memchr(text.data, '>', text.len);
  uint32_t params = arrow ? arrow - text.data : text.len, results = arrow ? text.len - params - 1 : 0;
  Type *type = types;
  while (type && !(type->params == params && type->results == results && memcmp(type->letters, text.data, params) == 0 &&
                   memcmp(type->letters + params, text.data + params + 1, results) == 0))
    type = type->next;
  if (!type && (type = js_malloc(ctx, sizeof *type + params + results))) {
    *type = (Type){types, params, results};
    memcpy(type->letters, text.data, params);
    memcpy(type->letters + params, text.data + params + 1, results);
    types = type;
  }
  text_free(ctx, &text);
  return type;
}

// ---- values

// A reference is the value's bits, so arranged that null is 0, as the host has it.
static uint64_t keep(JSContext *ctx, JSValueConst value) { return JS_DupValue(ctx, value) ^ JS_NULL; }
static JSValue kept(JSContext *ctx, uint64_t slot) { return JS_DupValue(ctx, slot ^ JS_NULL); }

static bool function_in(JSContext *ctx, JSValueConst value, uint64_t *slot) {
  double number;
  JSValue handle = hook_call1(ctx, HOOK_WASM_HANDLE, value);
  if (JS_IsException(handle) || JS_ToFloat64(ctx, &number, handle) < 0) return false;
  *slot = (uint64_t)number;
  return true;
}

// bigint_in does not take a Number, whose words the engine has others for.
static bool bigint_in(JSContext *ctx, JSValueConst value, int64_t *slot) {
  if (!JS_IsNumber(value)) return JS_ToBigInt64(ctx, slot, value) == 0;
  Text text;
  JSValue string = JS_ToString(ctx, value);
  if (usv_text(ctx, string, &text)) {
    JS_ThrowTypeError(ctx, "Cannot convert %s to a BigInt", text.data);
    text_free(ctx, &text);
  }
  JS_FreeValue(ctx, string);
  return false;
}

static bool value_in(JSContext *ctx, char letter, JSValueConst value, uint64_t *slot) {
  double number;
  float single;
  *slot = 0;
  switch (letter) {
    case 'i':
      return JS_ToInt32(ctx, (int32_t *)slot, value) == 0;
    case 'I':
      return bigint_in(ctx, value, (int64_t *)slot);
    case 'f':
      if (JS_ToFloat64(ctx, &number, value) < 0) return false;
      single = (float)number;
      memcpy(slot, &single, sizeof single);
      return true;
    case 'F':
      return JS_ToFloat64(ctx, (double *)slot, value) == 0;
    case 'x':
      *slot = keep(ctx, value);
      return true;
    case 'r':
      return function_in(ctx, value, slot);
    default:
      JS_ThrowTypeError(ctx, "type incompatibility when transforming from/to JS");
      return false;
  }
}

static JSValue value_out(JSContext *ctx, char letter, uint64_t slot) {
  double number;
  float single;
  switch (letter) {
    case 'i':
      return JS_NewInt32((int32_t)slot);
    case 'I':
      return JS_NewBigInt64(ctx, (int64_t)slot);
    case 'f':
      memcpy(&single, &slot, sizeof single);
      return JS_NewNumber(ctx, single);
    case 'F':
      memcpy(&number, &slot, sizeof number);
      return JS_NewNumber(ctx, number);
    case 'x':
      return kept(ctx, slot);
    case 'r': {
      if (slot == 0) return JS_NULL;
      JSValue handle = JS_NewNumber(ctx, (double)slot), function = hook_call1(ctx, HOOK_WASM_FUNCTION, handle);
      JS_FreeValue(ctx, handle);
      return function;
    }
    default:
      return JS_ThrowTypeError(ctx, "type incompatibility when transforming from/to JS");
  }
}

static JSValue results_out(JSContext *ctx, const Type *type, const uint64_t *slots) {
  const char *letters = type->letters + type->params;
  if (type->results == 0) return JS_UNDEFINED;
  if (type->results == 1) return value_out(ctx, letters[0], slots[0]);
  JSValue list = JS_NewArray(ctx);
  for (uint32_t i = 0; i < type->results && !JS_IsException(list); i++) {
    JSValue value = value_out(ctx, letters[i], slots[i]);
    if (JS_IsException(value) || JS_SetPropertyUint32(ctx, list, i, value) < 0) {
      JS_FreeValue(ctx, list);
      list = JS_EXCEPTION;
    }
  }
  return list;
}

// ---- into a module

static JSValue refused(JSContext *ctx) {
  uint32_t len;
  memcpy(&len, vm.io, sizeof len);
  JSValue text = new_text(ctx, (const char *)vm.io + sizeof len, len), error = hook_call1(ctx, HOOK_WASM_ERROR, text);
  JS_FreeValue(ctx, text);
  return JS_Throw(ctx, error);
}

static JSValue answered(JSContext *ctx, int answer) {
  JSValue error = thrown;
  if (answer == REFUSED) return refused(ctx);
  thrown = JS_UNDEFINED;
  return JS_Throw(ctx, error);
}

static JSValue call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int magic, JSValueConst *data) {
  const Type *type = (const Type *)(uintptr_t)(uint32_t)data[2];
  uint32_t size = type->params > type->results ? type->params : type->results;
  uint64_t few[FEW], *slots = size <= FEW ? few : js_malloc(ctx, size * sizeof *slots);
  if (!slots) return JS_EXCEPTION;
  JSValue result = JS_UNDEFINED;
  for (uint32_t i = 0; i < type->params && !JS_IsException(result); i++)
    if (!value_in(ctx, type->letters[i], argument(argc, argv, i), &slots[i])) result = JS_EXCEPTION;
  if (!JS_IsException(result)) {
    int answer = host(HOST_WASM_CALL, vm.current, (int32_t)data[0], (int32_t)data[1], address(slots));
    result = answer < 0 ? answered(ctx, answer) : results_out(ctx, type, slots);
  }
  if (slots != few) js_free(ctx, slots);
  return result;
}

// wasm_function(instance, index, type, name) is a function of a module.
JSValue wasm_function(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t instance, index;
  if (JS_ToInt32(ctx, &instance, argument(argc, argv, 0)) < 0 || JS_ToInt32(ctx, &index, argument(argc, argv, 1)) < 0)
    return JS_EXCEPTION;
  const Type *type = type_of(ctx, argument(argc, argv, 2));
  if (!type) return JS_EXCEPTION;
  JSValue data[] = {JS_NewInt32(instance), JS_NewInt32(index), JS_NewInt32(address(type))};
  JSValue function = JS_NewCFunctionData(ctx, call, type->params, 0, COUNT(data), data);
  if (!JS_IsException(function))
    JS_DefinePropertyValueStr(ctx, function, "name", JS_DupValue(ctx, argument(argc, argv, 3)), CONFIGURABLE);
  return function;
}

// ---- out of a module

// wasm_import(function, type) is the number by which modules call the function.
JSValue wasm_import(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  const Type *type = type_of(ctx, argument(argc, argv, 1));
  if (!type) return JS_EXCEPTION;
  if (import_count == MAX_IMPORTS) return JS_ThrowRangeError(ctx, "too many WebAssembly imports");
  if (import_count == import_room) {
    uint32_t room = import_room ? import_room * 2 : 16;
    Import *more = js_realloc(ctx, imports, room * sizeof *more);
    if (!more) return JS_EXCEPTION;
    imports = more;
    import_room = room;
  }
  imports[import_count] = (Import){JS_DupValue(ctx, argument(argc, argv, 0)), type};
  return JS_NewInt32(import_count++);
}

// results_in takes the value.
static bool results_in(JSContext *ctx, const Type *type, JSValue value, uint64_t *slots) {
  const char *letters = type->letters + type->params;
  bool ok = !JS_IsException(value);
  if (ok && type->results == 1) ok = value_in(ctx, letters[0], value, slots);
  if (ok && type->results > 1) {
    JSValue count = JS_NewInt32(type->results), arguments[] = {value, count};
    JSValue list = hook_call(ctx, HOOK_WASM_LIST, 2, arguments);
    ok = !JS_IsException(list);
    for (uint32_t i = 0; i < type->results && ok; i++) {
      JSValue item = JS_GetPropertyUint32(ctx, list, i);
      ok = !JS_IsException(item) && value_in(ctx, letters[i], item, &slots[i]);
      JS_FreeValue(ctx, item);
    }
    JS_FreeValue(ctx, list);
  }
  JS_FreeValue(ctx, value);
  return ok;
}

// run calls the import with room for its values; slots are at vm.io, which others use meanwhile.
static bool run(JSContext *ctx, const Import *import, uint64_t *slots, JSValue *arguments) {
  const Type *type = import->type;
  memcpy(slots, vm.io, type->params * sizeof *slots);
  uint32_t n = 0;
  bool ok = true;
  for (; n < type->params && ok; n++) ok = !JS_IsException(arguments[n] = value_out(ctx, type->letters[n], slots[n]));
  if (ok) ok = results_in(ctx, type, JS_Call(ctx, import->function, JS_UNDEFINED, n, arguments), slots);
  while (n > 0) JS_FreeValue(ctx, arguments[--n]);
  if (ok) memcpy(vm.io, slots, type->results * sizeof *slots);
  return ok;
}

int wasm_callback(uint32_t number) {
  JSContext *ctx = vm.ctx;
  if (number >= import_count) __builtin_trap();
  Import import = imports[number];
  uint32_t size = import.type->params > import.type->results ? import.type->params : import.type->results;
  uint64_t few[2 * FEW], *slots = size <= FEW ? few : js_malloc(ctx, size * 2 * sizeof *slots);
  bool ok = slots && run(ctx, &import, slots, (JSValue *)(slots + (slots == few ? FEW : size)));
  if (slots && slots != few) js_free(ctx, slots);
  if (ok) return 0;
  thrown = JS_GetException(ctx);
  return FAILED;
}

// ---- everything else

static bool word_of(JSContext *ctx, JSValueConst value, int32_t *word) {
  Bytes bytes;
  if (JS_IsNumber(value) || JS_IsUndefined(value)) return JS_ToInt32(ctx, word, value) == 0;
  if (!bytes_of(ctx, value, &bytes)) {
    JS_ThrowTypeError(ctx, "not a number or a buffer");
    return false;
  }
  *word = address(bytes.data);
  return true;
}

// wasm_host(operation, …) asks the host; a buffer stands for its address.
JSValue wasm_host(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t words[4];
  for (int i = 0; i < COUNT(words); i++)
    if (!word_of(ctx, argument(argc, argv, i), &words[i])) return JS_EXCEPTION;
  int answer = host(HOST_WASM + words[0], vm.current, words[1], words[2], words[3]);
  return answer < 0 ? answered(ctx, answer) : JS_NewInt32(answer);
}
