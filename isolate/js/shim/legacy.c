#include "legacy.h"

#include <string.h>

#include "service.h"
#include "text.h"

enum { ENCODING = 2, FIND = 1, DECODE = 2 };
enum { MORE = 1 << 0, FATAL = 1 << 1 };

static void part(ServiceBlock *block, const void *data, size_t len) {
  block->parts[block->count].ptr = address(data);
  block->parts[block->count++].len = len;
}

bool legacy_labelled(JSContext *ctx, Legacy *legacy, const char *label, size_t len) {
  ServiceBlock block = {.service = ENCODING, .method = FIND};
  part(&block, label, len);
  Answer name;
  if (!service_ask(ctx, &block, &name)) return false;
  bool found = name.len > 0 && name.len < sizeof legacy->name;
  if (found) memcpy(legacy->name, name.data, name.len);
  else JS_ThrowRangeError(ctx, "The encoding \"%.40s\" is not supported", label);
  answer_free(ctx, &name);
  return found;
}

static JSValue legacy_text(JSContext *ctx, Legacy *legacy, const Answer *answer) {
  if (answer->len == 0) {
    memset(legacy->state, 0, sizeof legacy->state);
    return JS_ThrowTypeError(ctx, "The encoded data was not valid %s.", legacy->name);
  }
  memcpy(legacy->state, answer->data, sizeof legacy->state);
  return new_text(ctx, answer->data + sizeof legacy->state, answer->len - sizeof legacy->state);
}

JSValue legacy_decode(JSContext *ctx, Legacy *legacy, Bytes input, bool stream, bool fatal) {
  ServiceBlock block = {.service = ENCODING, .method = DECODE};
  int32_t flags = (stream ? MORE : 0) | (fatal ? FATAL : 0);
  part(&block, legacy->name, strlen(legacy->name));
  part(&block, legacy->state, sizeof legacy->state);
  part(&block, &flags, sizeof flags);
  part(&block, input.data, input.len);
  Answer answer;
  if (!service_ask(ctx, &block, &answer)) return JS_EXCEPTION;
  JSValue text = legacy_text(ctx, legacy, &answer);
  answer_free(ctx, &answer);
  return text;
}
