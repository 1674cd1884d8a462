#include "stringify.h"

#include <string.h>

#include "text.h"

enum { MAX_GAP = 10, INDEX_ATOM = 1u << 31, IS_ACCESSOR = 1 << 4 };

// Level is an array or an object that is being written.
typedef struct {
  JSValue value;
  JSPropertyEnum *names;  // of an object
  uint32_t len, next;
  bool array, any;  // any: something has been written in it
} Level;

typedef struct {
  JSContext *ctx;
  Buffer out;
  Level *levels;
  uint32_t depth, room;
  char gap[MAX_GAP];
  uint32_t gap_len;
  bool plain;      // nothing met so far that the engine has to see to; else only the depth is looked at
  JSValue proto;   // the latest prototype whose chain has no toJSON; borrowed from what is walked
} Walk;

typedef enum { DONE, SKIPPED, OPENED, FAILED_WALK } Step;

static JSClassID object_class, array_class;
static JSAtom to_json;

// ---- text

static const char hex[] = "0123456789abcdef";

static void put_unit(Buffer *b, unsigned unit) {
  char escape[6] = {'\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};
  buffer_put(b, escape, sizeof escape);
}

static void put_control(Buffer *b, uint8_t c) {
  static const char shorts[] = "btn\0fr";  // from 8 on
  if (c == '"' || c == '\\' || (c >= 8 && c <= 13 && c != 11)) {
    char escape[2] = {'\\', c >= 32 ? (char)c : shorts[c - 8]};
    buffer_put(b, escape, sizeof escape);
  } else {
    put_unit(b, c);
  }
}

static bool is_special(uint8_t c) { return c < 0x20 || c == '"' || c == '\\' || c == 0xED; }

static void put_quoted(Buffer *b, const uint8_t *s, size_t n) {
  buffer_byte(b, '"');
  size_t from = 0;
  for (size_t i = 0; i < n;) {
    if (!is_special(s[i])) {
      i++;
      continue;
    }
    bool lone = utf8_is_lone((const char *)s + i, n - i);
    if (s[i] == 0xED && !lone) {
      i++;
      continue;
    }
    buffer_put(b, s + from, i - from);
    if (lone)
      put_unit(b, utf8_lone((const char *)s + i));
    else
      put_control(b, s[i]);
    from = i += lone ? 3 : 1;
  }
  buffer_put(b, s + from, n - from);
  buffer_byte(b, '"');
}

static bool put_string(Walk *w, JSValueConst string) {
  size_t len;
  const char *text = JS_ToCStringLen2(w->ctx, &len, string, false);
  if (!text) return false;
  put_quoted(&w->out, (const uint8_t *)text, len);
  JS_FreeCString(w->ctx, text);
  return true;
}

static bool put_name(Walk *w, JSAtom name) {
  JSValue string = JS_AtomToString(w->ctx, name);
  bool ok = !JS_IsException(string) && put_string(w, string);
  JS_FreeValue(w->ctx, string);
  return ok;
}

static bool put_double(Walk *w, JSValueConst number) {
  double value;
  JS_ToFloat64(w->ctx, &value, number);
  if (value - value != 0) {  // NaN or infinite
    buffer_text(&w->out, "null");
    return true;
  }
  size_t len;
  const char *text = JS_ToCStringLen2(w->ctx, &len, number, false);
  if (!text) return false;
  buffer_put(&w->out, text, len);
  JS_FreeCString(w->ctx, text);
  return true;
}

static void put_int(Buffer *b, int32_t n) {
  if (n < 0) buffer_byte(b, '-');
  buffer_number(b, n < 0 ? -(uint32_t)n : (uint32_t)n);
}

static void put_line(Walk *w, uint32_t depth) {
  if (w->gap_len == 0) return;
  buffer_byte(&w->out, '\n');
  while (depth-- > 0) buffer_put(&w->out, w->gap, w->gap_len);
}

// ---- what the engine has to see to

static Step give_up(Walk *w) {
  w->plain = false;
  return DONE;
}

// has_own also says yes when it threw: the engine will throw again.
static bool has_own(JSContext *ctx, JSValueConst object, JSAtom name) {
  int found = JS_GetOwnProperty(ctx, NULL, object, name);
  if (found < 0) JS_FreeValue(ctx, JS_GetException(ctx));
  return found != 0;
}

// chain_is_plain says that nothing on the prototype chain has toJSON or is a proxy.
static bool chain_is_plain(Walk *w, JSValueConst object) {
  JSValue proto = JS_GetPrototype(w->ctx, object);
  bool known = JS_IsObject(proto) && proto == w->proto, plain = true;
  JSValue first = proto;
  while (!known && plain && JS_IsObject(proto)) {
    plain = !JS_IsProxy(proto) && !has_own(w->ctx, proto, to_json);
    JSValue next = plain ? JS_GetPrototype(w->ctx, proto) : JS_NULL;
    JS_FreeValue(w->ctx, proto);
    proto = next;
  }
  JS_FreeValue(w->ctx, proto);
  if (plain) w->proto = first;  // it lives as long as what is walked, which nobody changes meanwhile
  return plain;
}

static bool is_plain(Walk *w, JSValueConst object) {
  JSClassID class = JS_GetClassID(object);
  return (class == object_class || class == array_class) && !has_own(w->ctx, object, to_json) && chain_is_plain(w, object);
}

// own_value is the property's value if it has one of its own that is data.
static bool own_value(Walk *w, JSValueConst object, JSAtom name, JSValue *value) {
  JSPropertyDescriptor d;
  int found = JS_GetOwnProperty(w->ctx, &d, object, name);
  if (found <= 0) {
    if (found < 0) JS_FreeValue(w->ctx, JS_GetException(w->ctx));
    return false;
  }
  JS_FreeValue(w->ctx, d.getter);
  JS_FreeValue(w->ctx, d.setter);
  *value = d.value;
  if (!(d.flags & IS_ACCESSOR)) return true;
  JS_FreeValue(w->ctx, d.value);
  return false;
}

// ---- the walk

static bool is_open(const Walk *w, JSValueConst object) {
  for (uint32_t i = 0; i < w->depth; i++)
    if (w->levels[i].value == object) return true;
  return false;
}

static bool make_room(Walk *w) {
  if (w->depth == MAX_STRINGIFY_DEPTH) {
    JS_ThrowRangeError(w->ctx, "Maximum call stack size exceeded");
    return false;
  }
  if (w->depth < w->room) return true;
  uint32_t room = w->room ? w->room * 2 : 16;
  Level *levels = js_realloc(w->ctx, w->levels, room * sizeof *levels);
  if (!levels) return false;
  w->levels = levels;
  w->room = room;
  return true;
}

// open begins an array or object, which it owns from here on.
static Step open_level(Walk *w, JSValue object) {
  Level level = {.value = object, .array = JS_GetClassID(object) == array_class};
  if (!is_plain(w, object) || is_open(w, object)) {
    JS_FreeValue(w->ctx, object);
    return give_up(w);
  }
  int64_t len = 0;
  bool ok = make_room(w);
  if (ok && level.array)
    ok = JS_GetLength(w->ctx, object, &len) == 0;
  else if (ok)
    ok = JS_GetOwnPropertyNames(w->ctx, &level.names, &level.len, object, NAMES_STRING | NAMES_ENUMERABLE) == 0;
  if (!ok) {
    JS_FreeValue(w->ctx, object);
    return FAILED_WALK;
  }
  if (level.array) level.len = len;
  w->levels[w->depth++] = level;
  buffer_byte(&w->out, level.array ? '[' : '{');
  return OPENED;
}

static void close_level(Walk *w) {
  Level *level = &w->levels[--w->depth];
  if (level->any) put_line(w, w->depth);
  buffer_byte(&w->out, level->array ? ']' : '}');
  JS_FreePropertyEnum(w->ctx, level->names, level->array ? 0 : level->len);
  JS_FreeValue(w->ctx, level->value);
}

// write puts one value, which it owns. SKIPPED is what JSON has no word for.
static Step write(Walk *w, JSValue value) {
  Step step = DONE;
  if (JS_IsObject(value)) {
    if (!JS_IsFunction(w->ctx, value) || JS_IsProxy(value)) return open_level(w, value);
    step = has_own(w->ctx, value, to_json) || !chain_is_plain(w, value) ? give_up(w) : SKIPPED;
  } else if (JS_IsString(value)) {
    step = put_string(w, value) ? DONE : FAILED_WALK;
  } else if (value_tag(value) == TAG_INT) {
    put_int(&w->out, (int32_t)value);
  } else if (JS_IsNumber(value)) {
    step = put_double(w, value) ? DONE : FAILED_WALK;
  } else if (value_tag(value) == TAG_BOOL) {
    buffer_text(&w->out, (uint32_t)value ? "true" : "false");
  } else if (JS_IsNull(value)) {
    buffer_text(&w->out, "null");
  } else if (JS_IsUndefined(value) || value_tag(value) == TAG_SYMBOL) {
    step = SKIPPED;
  } else {
    step = give_up(w);  // a BigInt
  }
  JS_FreeValue(w->ctx, value);
  return step;
}

static void put_separator(Walk *w, Level *level) {
  if (level->any) buffer_byte(&w->out, ',');
  level->any = true;
  put_line(w, w->depth);
}

static Step write_element(Walk *w, Level *level) {
  JSValue value;
  uint32_t i = level->next++;
  if (i >= INDEX_ATOM || !own_value(w, level->value, i | INDEX_ATOM, &value)) return give_up(w);
  put_separator(w, level);
  Step step = write(w, value);
  if (step != SKIPPED) return step;
  buffer_text(&w->out, "null");
  return DONE;
}

static Step write_member(Walk *w, Level *level) {
  JSValue value;
  JSAtom name = level->names[level->next++].atom;
  if (!own_value(w, level->value, name, &value)) return give_up(w);
  uint32_t before = w->out.len;
  bool any = level->any;
  put_separator(w, level);
  if (!put_name(w, name)) {
    JS_FreeValue(w->ctx, value);
    return FAILED_WALK;
  }
  buffer_byte(&w->out, ':');
  if (w->gap_len > 0) buffer_byte(&w->out, ' ');
  Step step = write(w, value);
  if (step == SKIPPED && !w->out.failed) {
    w->out.len = before;
    w->levels[w->depth - 1].any = any;
  }
  return step;
}

// walk writes value, which it borrows. What it gives up on is a leaf.
static Step walk(Walk *w, JSValueConst value) {
  Step step = write(w, JS_DupValue(w->ctx, value));
  while (w->depth > 0 && step != FAILED_WALK) {
    Level *level = &w->levels[w->depth - 1];
    if (!w->plain) w->out.len = 0;
    if (w->out.failed) break;
    if (level->next == level->len) {
      close_level(w);
      step = DONE;
    } else {
      step = level->array ? write_element(w, level) : write_member(w, level);
    }
  }
  while (w->depth > 0) close_level(w);
  return step;
}

// gap_of takes what space asks for; false: it is for the engine.
static bool gap_of(Walk *w, JSValueConst space) {
  double n = 0;
  size_t len;
  if (JS_IsObject(space)) return false;
  if (JS_IsNumber(space)) {
    JS_ToFloat64(w->ctx, &n, space);
    w->gap_len = n >= MAX_GAP ? MAX_GAP : n >= 1 ? (uint32_t)n : 0;
    memset(w->gap, ' ', w->gap_len);
  } else if (JS_IsString(space)) {
    const char *text = JS_ToCStringLen2(w->ctx, &len, space, false);
    bool fits = text && len <= MAX_GAP;  // a longer one is cut, between characters
    if (fits) memcpy(w->gap, text, w->gap_len = len);
    JS_FreeCString(w->ctx, text);
    return fits && is_ascii(w->gap, w->gap_len);
  }
  return true;
}

static JSValue result_of(Walk *w, Step step) {
  if (step == SKIPPED) return JS_UNDEFINED;
  if (!buffer_ok(w->ctx, &w->out)) return JS_EXCEPTION;
  return JS_NewStringLen(w->ctx, w->out.data, w->out.len);
}

JSValue stringify(JSContext *ctx, JSValueConst value, JSValueConst replacer, JSValueConst space) {
  Walk w = {.ctx = ctx, .plain = true, .proto = JS_UNDEFINED};
  w.plain = !JS_IsObject(replacer) && gap_of(&w, space);
  Step step = walk(&w, value);
  JSValue result = JS_EXCEPTION;
  if (step != FAILED_WALK && w.plain)
    result = result_of(&w, step);
  else if (step != FAILED_WALK)
    result = JS_JSONStringify(ctx, value, replacer, space);
  buffer_free(&w.out);
  js_free(ctx, w.levels);
  return result;
}

static JSValue stringify_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return stringify(ctx, argument(argc, argv, 0), argument(argc, argv, 1), argument(argc, argv, 2));
}

void stringify_define(void) {
  JSValue object = JS_NewObject(vm.ctx), array = JS_NewArray(vm.ctx), json = global_get("JSON");
  object_class = JS_GetClassID(object);
  array_class = JS_GetClassID(array);
  to_json = JS_NewAtom(vm.ctx, "toJSON");
  function_set(json, "stringify", stringify_call, 3);
  JS_FreeValue(vm.ctx, object);
  JS_FreeValue(vm.ctx, array);
  JS_FreeValue(vm.ctx, json);
}
