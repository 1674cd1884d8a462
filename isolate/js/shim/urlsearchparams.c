#include "urlsearchparams.h"

#include "pairs.h"
#include "paramlist.h"

typedef struct {
  ParamList list;
  Url *url;  // NULL: stands alone
} Params;

static Class params_class;

bool is_params(JSValueConst value) { return JS_GetClassID(value) == params_class.id; }

static void finalize(JSRuntime *rt, JSValueConst value) {
  Params *p = JS_GetOpaque(value, params_class.id);
  if (!p) return;
  buffer_free(&p->list.bytes);
  js_free_rt(rt, p);
}

// wrap owns the list.
static JSValue wrap(JSContext *ctx, JSValueConst new_target, ParamList list, Url *url) {
  if (!buffer_ok(ctx, &list.bytes)) return JS_EXCEPTION;
  Params *p = js_malloc(ctx, sizeof *p);
  JSValue object = JS_EXCEPTION;
  if (p) {
    *p = (Params){list, url};
    object = class_new(ctx, &params_class, new_target, p);
  }
  if (JS_IsException(object)) {
    buffer_free(&list.bytes);
    js_free(ctx, p);
  }
  return object;
}

JSValue params_linked(JSContext *ctx, Url *url, const char *query, size_t len) {
  ParamList list = {0};
  param_parse(&list, query, len);
  return wrap(ctx, JS_UNDEFINED, list, url);
}

void params_reload(JSContext *ctx, JSValueConst params, const char *query, size_t len) {
  Params *p = JS_GetOpaque(params, params_class.id);
  p->list.bytes.len = 0;
  param_parse(&p->list, query, len);
}

void params_unlink(JSValueConst params) {
  Params *p = JS_GetOpaque(params, params_class.id);
  if (p) p->url = NULL;
}

// ---- construction

typedef void Writer(ParamList *, const char *name, size_t name_len, const char *value, size_t value_len);

static bool put_pair(JSContext *ctx, ParamList *list, Writer *put, JSValueConst name, JSValueConst value) {
  Text n, v;
  if (!usv_text(ctx, name, &n)) return false;
  bool ok = usv_text(ctx, value, &v);
  if (ok) {
    put(list, n.data, n.len, v.data, v.len);
    text_free(ctx, &v);
  }
  text_free(ctx, &n);
  return ok;
}

static bool append_pair(JSContext *ctx, void *list, JSValueConst name, JSValueConst value) {
  return put_pair(ctx, list, param_append, name, value);
}

static bool has_name(const ParamList *list, const char *name, size_t len) {
  uint32_t at = 0;
  for (Param p; param_next(list, &at, &p);)
    if (param_is(&p, name, len)) return true;
  return false;
}

// put_member appends a pair of a record. Names that differ in lone surrogates only are one name, and its last value counts.
static void put_member(ParamList *list, const char *name, size_t name_len, const char *value, size_t value_len) {
  bool again = utf8_has_replacement(name, name_len) && has_name(list, name, name_len);
  Writer *put = again ? param_set : param_append;
  put(list, name, name_len, value, value_len);
}

static bool read_member(JSContext *ctx, void *list, JSValueConst name, JSValueConst value) {
  return put_pair(ctx, list, put_member, name, value);
}

static bool parse_string(JSContext *ctx, JSValueConst init, ParamList *list) {
  Text text;
  if (!usv_text(ctx, init, &text)) return false;
  bool mark = text.len > 0 && text.data[0] == '?';
  param_parse(list, text.data + mark, text.len - mark);
  text_free(ctx, &text);
  return true;
}

static bool read_init(JSContext *ctx, JSValueConst init, ParamList *list) {
  if (JS_IsUndefined(init)) return true;
  return JS_IsObject(init) ? pairs_read(ctx, init, append_pair, read_member, list) : parse_string(ctx, init, list);
}

static JSValue construct(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
  ParamList list = {0};
  if (read_init(ctx, argument(argc, argv, 0), &list)) return wrap(ctx, new_target, list, NULL);
  buffer_free(&list.bytes);
  return JS_EXCEPTION;
}

// ---- members

static Params *self_of(JSContext *ctx, JSValueConst self) { return JS_GetOpaque2(ctx, self, params_class.id); }

// changed makes the URL show the new list. It is the result of every writer.
static JSValue changed(JSContext *ctx, Params *p) {
  if (!buffer_ok(ctx, &p->list.bytes)) return JS_EXCEPTION;
  if (!p->url) return JS_UNDEFINED;
  Buffer query = {0};
  param_serialise(&p->list, &query);
  if (!buffer_ok(ctx, &query)) return JS_EXCEPTION;
  bool ok = url_put_query(ctx, p->url, query.data, query.len);
  buffer_free(&query);
  return ok ? JS_UNDEFINED : JS_EXCEPTION;
}

static JSValue do_append(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Params *p = self_of(ctx, self);
  if (!p || !need(ctx, argc, 2, "URLSearchParams.append")) return JS_EXCEPTION;
  return append_pair(ctx, &p->list, argv[0], argv[1]) ? changed(ctx, p) : JS_EXCEPTION;
}

// NameValue is a name and an optional value, as delete() and has() take them.
typedef struct {
  Text name, value;
  bool by_value;
} NameValue;

static void release(JSContext *ctx, NameValue *nv) {
  text_free(ctx, &nv->name);
  text_free(ctx, &nv->value);
}

static bool read_arguments(JSContext *ctx, int argc, JSValueConst *argv, NameValue *nv) {
  *nv = (NameValue){.by_value = !JS_IsUndefined(argument(argc, argv, 1))};
  if (!usv_text(ctx, argv[0], &nv->name)) return false;
  if (!nv->by_value || usv_text(ctx, argv[1], &nv->value)) return true;
  release(ctx, nv);
  return false;
}

static JSValue do_delete(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Params *p = self_of(ctx, self);
  NameValue nv;
  if (!p || !need(ctx, argc, 1, "URLSearchParams.delete") || !read_arguments(ctx, argc, argv, &nv)) return JS_EXCEPTION;
  param_delete(&p->list, nv.name.data, nv.name.len, nv.value.data, nv.value.len, nv.by_value);
  release(ctx, &nv);
  return changed(ctx, p);
}

static JSValue do_set(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Params *p = self_of(ctx, self);
  Text name, value;
  if (!p || !need(ctx, argc, 2, "URLSearchParams.set") || !usv_text(ctx, argv[0], &name)) return JS_EXCEPTION;
  bool ok = usv_text(ctx, argv[1], &value);
  if (ok) {
    param_set(&p->list, name.data, name.len, value.data, value.len);
    text_free(ctx, &value);
  }
  text_free(ctx, &name);
  return ok ? changed(ctx, p) : JS_EXCEPTION;
}

static bool matches(const Param *p, const NameValue *nv) {
  if (!param_is(p, nv->name.data, nv->name.len)) return false;
  return !nv->by_value || param_has_value(p, nv->value.data, nv->value.len);
}

static bool find(const ParamList *list, const NameValue *nv, uint32_t *at, Param *p) {
  while (param_next(list, at, p))
    if (matches(p, nv)) return true;
  return false;
}

static JSValue do_has(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Params *p = self_of(ctx, self);
  NameValue nv;
  if (!p || !need(ctx, argc, 1, "URLSearchParams.has") || !read_arguments(ctx, argc, argv, &nv)) return JS_EXCEPTION;
  uint32_t at = 0;
  Param found;
  bool has = find(&p->list, &nv, &at, &found);
  release(ctx, &nv);
  return JS_NewBool(has);
}

static JSValue value_text(JSContext *ctx, const Param *p) { return JS_NewStringLen(ctx, p->value, p->value_len); }

static JSValue do_get(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Params *p = self_of(ctx, self);
  NameValue nv;
  if (!p || !need(ctx, argc, 1, "URLSearchParams.get") || !read_arguments(ctx, 1, argv, &nv)) return JS_EXCEPTION;
  uint32_t at = 0;
  Param found;
  JSValue value = find(&p->list, &nv, &at, &found) ? value_text(ctx, &found) : JS_NULL;
  release(ctx, &nv);
  return value;
}

static JSValue do_get_all(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Params *p = self_of(ctx, self);
  NameValue nv;
  if (!p || !need(ctx, argc, 1, "URLSearchParams.getAll") || !read_arguments(ctx, 1, argv, &nv)) return JS_EXCEPTION;
  JSValue array = JS_NewArray(ctx);
  uint32_t at = 0, count = 0;
  for (Param found; find(&p->list, &nv, &at, &found);)
    JS_SetPropertyUint32(ctx, array, count++, value_text(ctx, &found));
  release(ctx, &nv);
  return array;
}

static JSValue do_sort(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Params *p = self_of(ctx, self);
  if (!p) return JS_EXCEPTION;
  param_sort(&p->list);
  return changed(ctx, p);
}

JSValue params_text(JSContext *ctx, JSValueConst self) {
  Params *p = self_of(ctx, self);
  if (!p) return JS_EXCEPTION;
  Buffer form = {0};
  param_serialise(&p->list, &form);
  if (!buffer_ok(ctx, &form)) return JS_EXCEPTION;
  JSValue text = new_ascii(ctx, form.len ? form.data : "", form.len);
  buffer_free(&form);
  return text;
}

static JSValue to_string(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return params_text(ctx, self);
}

static JSValue get_size(JSContext *ctx, JSValueConst self) {
  Params *p = self_of(ctx, self);
  return p ? JS_NewInt32(param_count(&p->list)) : JS_EXCEPTION;
}

int params_pair(JSContext *ctx, JSValueConst params, uint32_t index, JSValue pair[2]) {
  Params *p = self_of(ctx, params);
  if (!p) return -1;
  uint32_t at = 0;
  Param found;
  do {
    if (!param_next(&p->list, &at, &found)) return 0;
  } while (index-- > 0);
  pair[0] = JS_NewStringLen(ctx, found.name, found.name_len);
  pair[1] = value_text(ctx, &found);
  return 1;
}

static JSValue do_iterate(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int kind) {
  return self_of(ctx, self) ? pairs_iterator(ctx, PAIRS_PARAMS, self, kind) : JS_EXCEPTION;
}

static JSValue do_for_each(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return self_of(ctx, self) ? pairs_for_each(ctx, PAIRS_PARAMS, self, argc, argv) : JS_EXCEPTION;
}

static const JSCFunctionListEntry members[] = {
    METHOD("append", 2, do_append),
    METHOD("delete", 1, do_delete),
    METHOD("get", 1, do_get),
    METHOD("getAll", 1, do_get_all),
    METHOD("has", 1, do_has),
    METHOD("set", 2, do_set),
    METHOD("sort", 0, do_sort),
    METHOD("toString", 0, to_string),
    METHOD("forEach", 1, do_for_each),
    METHOD_MAGIC("keys", 0, do_iterate, PAIR_KEYS),
    METHOD_MAGIC("values", 0, do_iterate, PAIR_VALUES),
    METHOD_MAGIC("entries", 0, do_iterate, PAIR_ENTRIES),
    ITERATOR("entries"),
    ACCESSOR("size", get_size, NULL),
    TAG("URLSearchParams"),
};

void params_define(void) {
  static const ClassSpec spec = {
      .name = "URLSearchParams", .finalizer = finalize, .constructor = construct, MEMBERS(members)};
  class_define(&params_class, &spec);
}
