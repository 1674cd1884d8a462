#include "codec.h"

#include <string.h>

#include "atoms.h"
#include "bytes.h"
#include "encoding.h"
#include "object.h"
#include "legacy.h"
#include "text.h"

typedef struct {
  const Encoding *encoding;  // NULL: legacy is
  Legacy legacy;
  bool fatal, ignore_bom, bom_done;
  uint8_t tail_len;
  char tail[3];  // an incomplete character that the next chunk may complete
} Decoder;

static Class encoder_class, decoder_class;

// ---- TextEncoder

static JSValue encoder_construct(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
  return class_new(ctx, &encoder_class, new_target, NULL);
}

static bool is_encoder(JSContext *ctx, JSValueConst self) {
  if (JS_GetClassID(self) == encoder_class.id) return true;
  JS_ThrowTypeError(ctx, "Illegal invocation");
  return false;
}

static JSValue encoder_encoding(JSContext *ctx, JSValueConst self) {
  return is_encoder(ctx, self) ? new_ascii(ctx, "utf-8", 5) : JS_EXCEPTION;
}

static JSValue encode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  if (!is_encoder(ctx, self)) return JS_EXCEPTION;
  Text text = {0};
  JSValueConst input = argument(argc, argv, 0);
  if (!JS_IsUndefined(input) && !usv_text(ctx, input, &text)) return JS_EXCEPTION;
  JSValue bytes = JS_NewUint8ArrayCopy(ctx, (const uint8_t *)text.data, text.len);
  text_free(ctx, &text);
  return bytes;
}

static JSValue progress(JSContext *ctx, uint32_t read, uint32_t written) {
  JSValue result = JS_NewObject(ctx);
  JS_SetPropertyStr(ctx, result, "read", JS_NewInt32(read));
  JS_SetPropertyStr(ctx, result, "written", JS_NewInt32(written));
  return result;
}

// fit says how many bytes of whole code points fit into `room`, and how many UTF-16 units they are.
static size_t fit(const Text *text, size_t room, uint32_t *units) {
  size_t at = 0, taken = 0;
  *units = 0;
  for (; at < text->len; at += taken) {
    utf8_decode((const uint8_t *)text->data + at, text->len - at, &taken);
    if (at + taken > room) break;
    *units += taken == 4 ? 2 : 1;
  }
  return at;
}

static JSValue encode_into(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  if (!is_encoder(ctx, self) || !need(ctx, argc, 2, "encodeInto")) return JS_EXCEPTION;
  if (JS_GetTypedArrayType(argv[1]) != TYPED_UINT8)
    return JS_ThrowTypeError(ctx, "encodeInto: destination is not a Uint8Array");
  Text text;
  Bytes to;
  if (!usv_text(ctx, argv[0], &text)) return JS_EXCEPTION;
  bytes_of(ctx, argv[1], &to);
  uint32_t units;
  size_t written = fit(&text, to.len, &units);
  if (written > 0) memcpy(to.data, text.data, written);
  text_free(ctx, &text);
  return progress(ctx, units, written);
}

static const JSCFunctionListEntry encoder_members[] = {
    ACCESSOR("encoding", encoder_encoding, NULL),
    METHOD("encode", 0, encode),
    METHOD("encodeInto", 2, encode_into),
    TAG("TextEncoder"),
};

// ---- TextDecoder

// read_label finds the encoding of a label, UTF-8 for none. False: it threw.
static bool read_label(JSContext *ctx, JSValueConst label, Decoder *d) {
  d->encoding = &utf8_encoding;
  if (JS_IsUndefined(label)) return true;
  Text text;
  if (!usv_text(ctx, label, &text)) return false;
  d->encoding = encoding_labelled(text.data, text.len);
  bool found = d->encoding || legacy_labelled(ctx, &d->legacy, text.data, text.len);
  text_free(ctx, &text);
  return found;
}

static const char *decoder_name(const Decoder *d) { return d->encoding ? d->encoding->name : d->legacy.name; }

static bool read_flag(JSContext *ctx, JSValueConst options, JSAtom name, bool *flag) {
  *flag = false;
  if (is_nullish(options)) return true;
  if (!JS_IsObject(options)) {
    JS_ThrowTypeError(ctx, "options is not an object");
    return false;
  }
  JSValue value = JS_GetProperty(ctx, options, name);
  int truth = JS_IsException(value) ? -1 : JS_ToBool(ctx, value);
  JS_FreeValue(ctx, value);
  *flag = truth > 0;
  return truth >= 0;
}

static JSValue decoder_construct(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
  Decoder decoder = {0};
  JSValueConst options = argument(argc, argv, 1);
  if (!read_label(ctx, argument(argc, argv, 0), &decoder) || !read_flag(ctx, options, atom.fatal, &decoder.fatal) ||
      !read_flag(ctx, options, atom.ignoreBOM, &decoder.ignore_bom))
    return JS_EXCEPTION;
  Decoder *d = js_malloc(ctx, sizeof *d);
  if (!d) return JS_EXCEPTION;
  *d = decoder;
  JSValue object = class_new(ctx, &decoder_class, new_target, d);
  if (JS_IsException(object)) js_free(ctx, d);
  return object;
}

static Decoder *decoder_of(JSContext *ctx, JSValueConst self) { return JS_GetOpaque2(ctx, self, decoder_class.id); }

enum { GET_ENCODING, GET_FATAL, GET_IGNORE_BOM };

static JSValue decoder_get(JSContext *ctx, JSValueConst self, int which) {
  Decoder *d = decoder_of(ctx, self);
  if (!d) return JS_EXCEPTION;
  if (which == GET_ENCODING) return new_ascii(ctx, decoder_name(d), strlen(decoder_name(d)));
  return JS_NewBool(which == GET_FATAL ? d->fatal : d->ignore_bom);
}

// convert decodes whole characters. The byte order mark is dropped once, at the very beginning.
static JSValue convert(JSContext *ctx, Decoder *d, const char *data, size_t len) {
  const Encoding *e = d->encoding;
  if (d->fatal && !e->valid(data, len)) return JS_ThrowTypeError(ctx, "The encoded data was not valid %s.", e->name);
  bool mark = !d->ignore_bom && !d->bom_done && len >= e->mark_len && memcmp(data, e->mark, e->mark_len) == 0;
  if (len > 0) d->bom_done = true;
  return mark ? e->text(ctx, data + e->mark_len, len - e->mark_len) : e->text(ctx, data, len);
}

static JSValue decode_chunk(JSContext *ctx, Decoder *d, const char *data, size_t len, bool stream) {
  size_t whole = stream ? d->encoding->whole(data, len) : len;
  JSValue text = convert(ctx, d, data, whole);
  d->tail_len = len - whole;
  memcpy(d->tail, data + whole, len - whole);
  if (!stream) d->bom_done = false;
  return text;
}

static JSValue decode_with_tail(JSContext *ctx, Decoder *d, Bytes input, bool stream) {
  Buffer joined = {0};
  buffer_put(&joined, d->tail, d->tail_len);
  buffer_put(&joined, input.data, input.len);
  if (!buffer_ok(ctx, &joined)) return JS_EXCEPTION;
  JSValue text = decode_chunk(ctx, d, joined.data, joined.len, stream);
  buffer_free(&joined);
  return text;
}

static JSValue decode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Decoder *d = decoder_of(ctx, self);
  bool stream;
  if (!d || !read_flag(ctx, argument(argc, argv, 1), atom.stream, &stream)) return JS_EXCEPTION;
  Bytes input = {0};
  JSValueConst source = argument(argc, argv, 0);
  if (!JS_IsUndefined(source) && !bytes_of(ctx, source, &input))
    return JS_ThrowTypeError(ctx, "decode: input is not an ArrayBuffer or a view of one");
  if (!d->encoding) return legacy_decode(ctx, &d->legacy, input, stream, d->fatal);
  if (d->tail_len > 0) return decode_with_tail(ctx, d, input, stream);
  return decode_chunk(ctx, d, input.data ? (const char *)input.data : "", input.len, stream);
}

static void decoder_finalize(JSRuntime *rt, JSValueConst value) { js_free_rt(rt, JS_GetOpaque(value, decoder_class.id)); }

static const JSCFunctionListEntry decoder_members[] = {
    ACCESSOR_MAGIC("encoding", decoder_get, NULL, GET_ENCODING),
    ACCESSOR_MAGIC("fatal", decoder_get, NULL, GET_FATAL),
    ACCESSOR_MAGIC("ignoreBOM", decoder_get, NULL, GET_IGNORE_BOM),
    METHOD("decode", 0, decode),
    TAG("TextDecoder"),
};

void codec_define(void) {
  static const ClassSpec encoder = {
      .name = "TextEncoder", .constructor = encoder_construct, MEMBERS(encoder_members)};
  static const ClassSpec decoder = {.name = "TextDecoder",
                                    .finalizer = decoder_finalize,
                                    .constructor = decoder_construct,
                                    MEMBERS(decoder_members)};
  class_define(&encoder_class, &encoder);
  class_define(&decoder_class, &decoder);
}
