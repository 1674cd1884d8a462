#include "headers.h"

#include <string.h>

#include "pairs.h"

typedef struct {
  HeaderList list;
  bool immutable;
} Headers;

Class headers_class;

HeaderList *headers_list(JSValueConst value) {
  Headers *h = JS_GetOpaque(value, headers_class.id);
  return h ? &h->list : NULL;
}

static JSValue wrap(JSContext *ctx, JSValueConst new_target, HeaderList list, bool immutable) {
  Headers *h = js_malloc(ctx, sizeof *h);
  JSValue object = JS_EXCEPTION;
  if (h) {
    *h = (Headers){list, immutable};
    object = class_new(ctx, &headers_class, new_target, h);
  }
  if (JS_IsException(object)) {
    list_free(&list);
    js_free(ctx, h);
  }
  return object;
}

JSValue headers_new(JSContext *ctx, HeaderList list, bool immutable) {
  return wrap(ctx, JS_UNDEFINED, list, immutable);
}

static bool is_token_char(char c) { return is_digit(c) || is_alpha(c) || (c && strchr("!#$%&'*+-.^_`|~", c)); }

bool is_token(const char *s, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!is_token_char(s[i])) return false;
  return n > 0;
}

static bool read_name(JSContext *ctx, JSValueConst value, Text *name) {
  if (!byte_text(ctx, value, name)) return false;
  if (is_token(name->data, name->len)) return true;
  text_free(ctx, name);
  JS_ThrowTypeError(ctx, "Invalid header name.");
  return false;
}

static bool is_http_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// read_value normalises: white space at both ends is not part of a value.
static bool read_value(JSContext *ctx, JSValueConst value, Text *text) {
  if (!byte_text(ctx, value, text)) return false;
  while (text->len > 0 && is_http_space(text->data[0])) text->data++, text->len--;
  while (text->len > 0 && is_http_space(text->data[text->len - 1])) text->len--;
  for (size_t i = 0; i < text->len; i++) {
    char c = text->data[i];
    if (c != 0 && c != '\r' && c != '\n') continue;
    text_free(ctx, text);
    JS_ThrowTypeError(ctx, "Invalid header value.");
    return false;
  }
  return true;
}

typedef bool ListWriter(JSContext *, HeaderList *, const char *, size_t, const char *, size_t);

static bool write(JSContext *ctx, HeaderList *list, ListWriter *writer, JSValueConst name, JSValueConst value) {
  Text n, v;
  if (!read_name(ctx, name, &n)) return false;
  bool ok = read_value(ctx, value, &v);
  if (ok) {
    ok = writer(ctx, list, n.data, n.len, v.data, v.len);
    text_free(ctx, &v);
  }
  text_free(ctx, &n);
  return ok;
}

static bool append_pair(JSContext *ctx, void *list, JSValueConst name, JSValueConst value) {
  return write(ctx, list, list_append, name, value);
}

bool headers_fill(JSContext *ctx, HeaderList *list, JSValueConst init) {
  if (!JS_IsObject(init)) {
    JS_ThrowTypeError(ctx, "headers must be a Headers, a sequence of pairs or an object");
    return false;
  }
  HeaderList *other = headers_list(init);
  if (!other) return pairs_read(ctx, init, append_pair, append_pair, list);
  if (list->block == NULL) {
    *list = list_share(other);
    return true;
  }
  uint32_t at = 0;
  for (Header h; list_next(other, &at, &h);)
    if (!list_append(ctx, list, h.name, h.name_len, h.value, h.value_len)) return false;
  return true;
}

static JSValue construct(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
  HeaderList list = {0};
  JSValueConst init = argument(argc, argv, 0);
  if (!JS_IsUndefined(init) && !headers_fill(ctx, &list, init)) {
    list_free(&list);
    return JS_EXCEPTION;
  }
  return wrap(ctx, new_target, list, false);
}

static Headers *self_of(JSContext *ctx, JSValueConst self) { return JS_GetOpaque2(ctx, self, headers_class.id); }

static Headers *writable(JSContext *ctx, JSValueConst self) {
  Headers *h = self_of(ctx, self);
  if (!h || !h->immutable) return h;
  JS_ThrowTypeError(ctx, "Can't modify immutable headers.");
  return NULL;
}

static JSValue do_append(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Headers *h = writable(ctx, self);
  if (!h || !need(ctx, argc, 2, "Headers.append")) return JS_EXCEPTION;
  return write(ctx, &h->list, list_append, argv[0], argv[1]) ? JS_UNDEFINED : JS_EXCEPTION;
}

static JSValue do_set(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Headers *h = writable(ctx, self);
  if (!h || !need(ctx, argc, 2, "Headers.set")) return JS_EXCEPTION;
  return write(ctx, &h->list, list_replace, argv[0], argv[1]) ? JS_UNDEFINED : JS_EXCEPTION;
}

static JSValue do_delete(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Headers *h = writable(ctx, self);
  Text name;
  if (!h || !need(ctx, argc, 1, "Headers.delete") || !read_name(ctx, argv[0], &name)) return JS_EXCEPTION;
  bool ok = list_delete(ctx, &h->list, name.data, name.len);
  text_free(ctx, &name);
  return ok ? JS_UNDEFINED : JS_EXCEPTION;
}

// joined makes one string of all values whose name is that of `first`, from `at` on.
static JSValue joined(JSContext *ctx, const HeaderList *list, const Header *first) {
  Buffer b = {0};
  uint32_t at = (uint32_t)(first->value + first->value_len - (list->block->data + list->from));
  buffer_put(&b, first->value, first->value_len);
  for (Header h; list_next(list, &at, &h);) {
    if (h.name_len != first->name_len || memcmp(h.name, first->name, h.name_len) != 0) continue;
    buffer_put(&b, ", ", 2);
    buffer_put(&b, h.value, h.value_len);
  }
  if (!buffer_ok(ctx, &b)) return JS_EXCEPTION;
  JSValue value = new_latin1(ctx, b.data, b.len);
  buffer_free(&b);
  return value;
}

static bool is_repeated(const HeaderList *list, const Header *first) {
  uint32_t at = (uint32_t)(first->value + first->value_len - (list->block->data + list->from));
  for (Header h; list_next(list, &at, &h);)
    if (h.name_len == first->name_len && memcmp(h.name, first->name, h.name_len) == 0) return true;
  return false;
}

static JSValue do_get(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Headers *h = self_of(ctx, self);
  Text name;
  if (!h || !need(ctx, argc, 1, "Headers.get") || !read_name(ctx, argv[0], &name)) return JS_EXCEPTION;
  Header found;
  bool has = list_find(&h->list, name.data, name.len, &found);
  text_free(ctx, &name);
  if (!has) return JS_NULL;
  if (is_repeated(&h->list, &found)) return joined(ctx, &h->list, &found);
  return new_latin1(ctx, found.value, found.value_len);
}

static JSValue do_has(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Headers *h = self_of(ctx, self);
  Text name;
  if (!h || !need(ctx, argc, 1, "Headers.has") || !read_name(ctx, argv[0], &name)) return JS_EXCEPTION;
  Header found;
  bool has = list_find(&h->list, name.data, name.len, &found);
  text_free(ctx, &name);
  return JS_NewBool(has);
}

static bool is_cookie(const Header *h) { return text_is(h->name, h->name_len, "set-cookie"); }

static JSValue cookies(JSContext *ctx, const HeaderList *list) {
  JSValue array = JS_NewArray(ctx);
  uint32_t at = 0, count = 0;
  for (Header h; list_next(list, &at, &h);)
    if (is_cookie(&h)) JS_SetPropertyUint32(ctx, array, count++, new_latin1(ctx, h.value, h.value_len));
  return array;
}

static JSValue do_get_set_cookie(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Headers *h = self_of(ctx, self);
  return h ? cookies(ctx, &h->list) : JS_EXCEPTION;
}

// getAll is older than getSetCookie and Workers' own.
static JSValue do_get_all(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Headers *h = self_of(ctx, self);
  Text name;
  if (!h || !need(ctx, argc, 1, "Headers.getAll") || !read_name(ctx, argv[0], &name)) return JS_EXCEPTION;
  bool cookie = text_is_nocase(name.data, name.len, "set-cookie");
  text_free(ctx, &name);
  if (cookie) return cookies(ctx, &h->list);
  return JS_ThrowTypeError(ctx, "getAll() can only be used with the header name \"Set-Cookie\".");
}

// The sorted view has one entry for a name, but each set-cookie stands alone.
static bool starts_entry(const Header *sorted, uint32_t i) {
  if (i == 0 || is_cookie(&sorted[i])) return true;
  return sorted[i].name_len != sorted[i - 1].name_len ||
         memcmp(sorted[i].name, sorted[i - 1].name, sorted[i].name_len) != 0;
}

int headers_pair(JSContext *ctx, JSValueConst headers, uint32_t index, JSValue pair[2]) {
  HeaderList *list = headers_list(headers);
  Header *sorted;
  uint32_t count, i = 0;
  if (!list_sorted(ctx, list, &sorted, &count)) return -1;
  for (; i < count; i++)
    if (starts_entry(sorted, i) && index-- == 0) break;
  bool found = i < count;
  if (found) {
    pair[0] = new_ascii(ctx, sorted[i].name, sorted[i].name_len);
    bool alone = is_cookie(&sorted[i]) || i + 1 == count || starts_entry(sorted, i + 1);
    pair[1] = alone ? new_latin1(ctx, sorted[i].value, sorted[i].value_len) : joined(ctx, list, &sorted[i]);
  }
  js_free(ctx, sorted);
  return found;
}

static JSValue do_iterate(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int kind) {
  return self_of(ctx, self) ? pairs_iterator(ctx, PAIRS_HEADERS, self, kind) : JS_EXCEPTION;
}

static JSValue do_for_each(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return self_of(ctx, self) ? pairs_for_each(ctx, PAIRS_HEADERS, self, argc, argv) : JS_EXCEPTION;
}

static void finalize(JSRuntime *rt, JSValueConst value) {
  Headers *h = JS_GetOpaque(value, headers_class.id);
  if (!h) return;
  list_free(&h->list);
  js_free_rt(rt, h);
}

static const JSCFunctionListEntry members[] = {
    METHOD("append", 2, do_append),
    METHOD("delete", 1, do_delete),
    METHOD("get", 1, do_get),
    METHOD("getAll", 1, do_get_all),
    METHOD("getSetCookie", 0, do_get_set_cookie),
    METHOD("has", 1, do_has),
    METHOD("set", 2, do_set),
    METHOD("forEach", 1, do_for_each),
    METHOD_MAGIC("keys", 0, do_iterate, PAIR_KEYS),
    METHOD_MAGIC("values", 0, do_iterate, PAIR_VALUES),
    METHOD_MAGIC("entries", 0, do_iterate, PAIR_ENTRIES),
    ITERATOR("entries"),
    TAG("Headers"),
};

void headers_define(void) {
  static const ClassSpec spec = {
      .name = "Headers", .finalizer = finalize, .constructor = construct, .arguments = 0, MEMBERS(members)};
  class_define(&headers_class, &spec);
}
