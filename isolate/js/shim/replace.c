#include "replace.h"

#include <string.h>

#include "text.h"

enum { SETS = 32, WATCHED = 5 };

// Set is what an expression matches. Its program identifies it: a literal's objects share it, and
// as long as it is held here, no other takes its address.
typedef struct {
  JSValue program;  // undefined: free
  bool simple;
  uint64_t ascii[2];
} Set;

static Set sets[SETS];
static uint32_t next_set;

static JSValue proto, engine_replace;
static JSAtom last_index, source_atom, flags_atom;
static size_t program_at;  // where in an object the address of its program stands; 0: it was not found

// What the standard looks up on the way, and what it finds when nobody has changed it.
static JSAtom watched[WATCHED];
static JSValue found[WATCHED];
static const char *const watched_names[WATCHED] = {"exec", "flags", "global", "unicode", "unicodeSets"};

static JSValue value_or_getter(JSContext *ctx, JSValueConst object, JSAtom name) {
  JSPropertyDescriptor d;
  if (JS_GetOwnProperty(ctx, &d, object, name) <= 0) return JS_UNDEFINED;
  JSValue v = JS_IsUndefined(d.getter) ? JS_DupValue(ctx, d.value) : JS_DupValue(ctx, d.getter);
  JS_FreeValue(ctx, d.value);
  JS_FreeValue(ctx, d.getter);
  JS_FreeValue(ctx, d.setter);
  return v;
}

static bool proto_unchanged(JSContext *ctx) {
  for (int i = 0; i < WATCHED; i++) {
    JSValue v = value_or_getter(ctx, proto, watched[i]);
    JS_FreeValue(ctx, v);
    if (v != found[i]) return false;
  }
  return true;
}

// has_only_last_index says that the object has no property of its own that would hide the prototype's.
static bool has_only_last_index(JSContext *ctx, JSValueConst rx) {
  JSPropertyEnum *names;
  uint32_t count;
  if (JS_GetOwnPropertyNames(ctx, &names, &count, rx, NAMES_STRING) < 0) {
    JS_FreeValue(ctx, JS_GetException(ctx));
    return false;
  }
  JS_FreePropertyEnum(ctx, names, count);
  return count == 1;
}

static bool is_pristine(JSContext *ctx, JSValueConst rx) {
  if (!JS_IsObject(rx) || !JS_IsRegExp(rx)) return false;
  JSValue p = JS_GetPrototype(ctx, rx);
  JS_FreeValue(ctx, p);
  return p == proto && has_only_last_index(ctx, rx) && proto_unchanged(ctx);
}

// ---- which characters

static void add(Set *set, uint8_t c) { set->ascii[c / 64] |= 1ull << c % 64; }

static bool has(const Set *set, uint8_t c) { return c < 128 && set->ascii[c / 64] >> c % 64 & 1; }

// is_literal says that c means itself, in a class and outside.
static bool is_literal(char c) { return c > ' ' && c < 127 && !strchr("\\^$.*+?()[]{}|/-", c); }

// read_source fills the set from /x/ or /[xyz]/. An escape is taken for what cannot be in a class
// or stands for itself only: \/ \- \\ \] \[ and the like.
static bool read_source(Set *set, const char *s, size_t n) {
  bool class = n > 2 && s[0] == '[' && s[n - 1] == ']';
  size_t end = class ? n - 1 : n, count = 0;
  for (size_t i = class; i < end; i++, count++) {
    if (s[i] == '\\') {
      i++;
      if (i == end || s[i] == 0 || !strchr("\\^$.*+?()[]{}|/-", s[i])) return false;
    } else if (!is_literal(s[i])) {
      return false;
    }
    add(set, s[i]);
  }
  return class ? count > 0 : count == 1;
}

static bool text_equals(JSContext *ctx, JSValueConst rx, JSAtom name, const char *want) {
  JSValue v = JS_GetProperty(ctx, rx, name);
  size_t len;
  const char *text = JS_ToCStringLen2(ctx, &len, v, false);
  bool same = text && strcmp(text, want) == 0;
  JS_FreeCString(ctx, text);
  JS_FreeValue(ctx, v);
  return same;
}

static void learn(JSContext *ctx, Set *set, JSValueConst rx) {
  if (!text_equals(ctx, rx, flags_atom, "g")) return;
  JSValue source = JS_GetProperty(ctx, rx, source_atom);
  size_t len;
  const char *text = JS_ToCStringLen2(ctx, &len, source, false);
  set->simple = text && read_source(set, text, len);
  JS_FreeCString(ctx, text);
  JS_FreeValue(ctx, source);
}

static JSValue program_of(JSValueConst rx) {
  uint32_t address;
  memcpy(&address, (char *)value_pointer(rx) + program_at, sizeof address);
  return VALUE(TAG_STRING, address);
}

static const Set *set_of(JSContext *ctx, JSValueConst rx) {
  JSValue program = program_of(rx);
  for (int i = 0; i < SETS; i++)
    if (sets[i].program == program) return &sets[i];
  Set *set = &sets[next_set++ % SETS];
  JS_FreeValue(ctx, set->program);
  *set = (Set){.program = JS_DupValue(ctx, program)};
  learn(ctx, set, rx);
  return set;
}

// ---- the scan

typedef struct {
  JSContext *ctx;
  Buffer out;
  JSValueConst text;
  const char *with;  // what each match becomes; NULL: what `call` returns
  size_t with_len;
  JSValueConst call;
} Replace;

static bool put_called(Replace *r, uint8_t c, uint32_t at) {
  JSValue arguments[3] = {JS_NewStringLen(r->ctx, (char *)&c, 1), JS_NewInt32(at), r->text};
  JSValue v = JS_IsException(arguments[0]) ? JS_EXCEPTION : JS_Call(r->ctx, r->call, JS_UNDEFINED, 3, arguments);
  JS_FreeValue(r->ctx, arguments[0]);
  size_t len;
  const char *text = JS_IsException(v) ? NULL : JS_ToCStringLen2(r->ctx, &len, v, false);
  if (text) buffer_put(&r->out, text, len);
  JS_FreeCString(r->ctx, text);
  JS_FreeValue(r->ctx, v);
  return text != NULL;
}

static bool put_match(Replace *r, uint8_t c, uint32_t at) {
  if (!r->with) return put_called(r, c, at);
  buffer_put(&r->out, r->with, r->with_len);
  return true;
}

// units counts the UTF-16 code units of UTF-8.
static uint32_t units(const char *s, size_t n) {
  uint32_t count = 0;
  for (size_t i = 0; i < n; i++) count += ((uint8_t)s[i] & 0xC0) != 0x80 ? 1 + ((uint8_t)s[i] >= 0xF0) : 0;
  return count;
}

static bool scan(Replace *r, const Set *set, const char *s, size_t n) {
  size_t from = 0;
  uint32_t at = 0;
  for (size_t i = 0; i < n; i++) {
    if (!has(set, s[i])) continue;
    buffer_put(&r->out, s + from, i - from);
    at += units(s + from, i - from);
    if (!put_match(r, s[i], at++)) return false;
    from = i + 1;
  }
  if (from > 0) buffer_put(&r->out, s + from, n - from);
  return true;
}

static bool any_match(const Set *set, const char *s, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (has(set, s[i])) return true;
  return false;
}

// wide_text makes a string of what UTF-8 cannot say: surrogates of three bytes each.
static JSValue wide_text(JSContext *ctx, const char *s, size_t n) {
  uint16_t *wide = js_malloc(ctx, n * sizeof *wide);
  if (!wide) return JS_EXCEPTION;
  size_t len = 0;
  for (size_t i = 0, taken; i < n; i += taken) {
    int32_t c = utf8_decode((const uint8_t *)s + i, n - i, &taken);
    if (c < 0) {
      c = utf8_lone(s + i);
      taken = 3;
    }
    if (c >= 0x10000) wide[len++] = 0xD7C0 + (c >> 10);
    wide[len++] = c >= 0x10000 ? 0xDC00 | (c & 0x3FF) : c;
  }
  JSValue v = JS_NewStringUTF16(ctx, wide, len);
  js_free(ctx, wide);
  return v;
}

static JSValue finish(Replace *r, bool ok) {
  JSValue v = JS_EXCEPTION;
  if (ok && buffer_ok(r->ctx, &r->out)) {
    bool wide = utf8_has_lone(r->out.data, r->out.len);
    v = wide ? wide_text(r->ctx, r->out.data, r->out.len) : JS_NewStringLen(r->ctx, r->out.data, r->out.len);
  }
  buffer_free(&r->out);
  return v;
}

// replaced takes a text of UTF-8.
static JSValue replaced(JSContext *ctx, const Set *set, JSValueConst text, const char *s, size_t n, JSValueConst with) {
  if (!any_match(set, s, n)) return JS_DupValue(ctx, text);
  Set known = *set;  // a callback may make the table forget it
  Replace r = {.ctx = ctx, .text = text, .call = with};
  if (JS_IsString(with)) r.with = JS_ToCStringLen2(ctx, &r.with_len, with, false);
  bool ok = (r.with || !JS_IsString(with)) && scan(&r, &known, s, n);
  JS_FreeCString(ctx, r.with);
  return finish(&r, ok);
}

// is_plain_text says that a replacement need not be expanded.
static bool is_plain_text(JSContext *ctx, JSValueConst with) {
  if (!JS_IsString(with)) return false;
  size_t len;
  const char *s = JS_ToCStringLen2(ctx, &len, with, false);
  bool plain = s && !memchr(s, '$', len);
  JS_FreeCString(ctx, s);
  return plain;
}

// try_replace is the result, or undefined when it is the engine's to find.
static JSValue try_replace(JSContext *ctx, JSValueConst rx, JSValueConst text, JSValueConst with) {
  if (!JS_IsString(text) || !(JS_IsFunction(ctx, with) || is_plain_text(ctx, with)) || !is_pristine(ctx, rx)) return JS_UNDEFINED;
  const Set *set = set_of(ctx, rx);
  if (!set->simple) return JS_UNDEFINED;
  size_t len;
  const char *s = JS_ToCStringLen2(ctx, &len, text, false);
  if (!s) return JS_EXCEPTION;
  JSValue v = JS_UNDEFINED;
  if (!utf8_has_lone(s, len))
    v = JS_SetProperty(ctx, rx, last_index, JS_NewInt32(0)) < 0 ? JS_EXCEPTION : replaced(ctx, set, text, s, len, with);
  JS_FreeCString(ctx, s);
  return v;
}

static JSValue replace(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  JSValueConst arguments[2] = {argument(argc, argv, 0), argument(argc, argv, 1)};
  JSValue v = program_at ? try_replace(ctx, self, arguments[0], arguments[1]) : JS_UNDEFINED;
  return JS_IsUndefined(v) ? JS_Call(ctx, engine_replace, self, 2, arguments) : v;
}

// ---- INIT

// find_program looks for where an object has its program. The engine's layout is not ours to
// know, so it is tried: an object's pattern and, behind it, its program are both words of it.
static void find_program(JSContext *ctx) {
  static const char source[] = "(() => { const f = () => /x/g; return [f(), f(), /y/g] })()";
  JSValue list = JS_Eval(ctx, source, sizeof source - 1, "<program>", EVAL_GLOBAL), rx[3];
  for (int i = 0; i < 3; i++) rx[i] = JS_GetPropertyUint32(ctx, list, i);
  JSClassID class;
  uint32_t pattern = (uintptr_t)JS_GetAnyOpaque(rx[0], &class), word;
  for (size_t at = 0; at < 64 && !program_at; at += sizeof word) {
    memcpy(&word, (char *)value_pointer(rx[0]) + at, sizeof word);
    if (word == pattern) program_at = at + sizeof word;
  }
  if (program_at && (program_of(rx[0]) != program_of(rx[1]) || program_of(rx[0]) == program_of(rx[2]))) program_at = 0;
  for (int i = 0; i < 3; i++) JS_FreeValue(ctx, rx[i]);
  JS_FreeValue(ctx, list);
}

void replace_define(void) {
  static const char symbol_name[] = "Symbol.replace";
  JSContext *ctx = vm.ctx;
  JSValue symbol = JS_Eval(ctx, symbol_name, sizeof symbol_name - 1, "<replace>", EVAL_GLOBAL);
  JSAtom name = JS_ValueToAtom(ctx, symbol);
  proto = prototype_of("/x/");
  engine_replace = JS_GetProperty(ctx, proto, name);
  last_index = JS_NewAtom(ctx, "lastIndex");
  source_atom = JS_NewAtom(ctx, "source");
  flags_atom = JS_NewAtom(ctx, "flags");
  for (int i = 0; i < WATCHED; i++) {
    watched[i] = JS_NewAtom(ctx, watched_names[i]);
    found[i] = value_or_getter(ctx, proto, watched[i]);
  }
  find_program(ctx);
  JSValue function = JS_NewCFunction2(ctx, replace, "[Symbol.replace]", 2, CALL_GENERIC, 0);
  JS_DefinePropertyValue(ctx, proto, name, function, CONFIGURABLE | WRITABLE);
  JS_FreeAtom(ctx, name);
  JS_FreeValue(ctx, symbol);
}
