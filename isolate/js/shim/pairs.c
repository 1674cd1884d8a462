#include "pairs.h"

#include "headers.h"
#include "urlsearchparams.h"

typedef struct {
  JSValue target;
  uint32_t index;
  PairSource source;
  int kind;
} Iterator;

static JSClassID iterator_id;
static JSValue iterator_protos[2];
static JSAtom symbol_iterator;
static JSValue array_from;

static int pair_at(JSContext *ctx, PairSource source, JSValueConst target, uint32_t index, JSValue pair[2]) {
  return source == PAIRS_HEADERS ? headers_pair(ctx, target, index, pair) : params_pair(ctx, target, index, pair);
}

static JSValue array_of(JSContext *ctx, JSValue a, JSValue b) {
  JSValue array = JS_NewArray(ctx);
  JS_SetPropertyUint32(ctx, array, 0, a);
  JS_SetPropertyUint32(ctx, array, 1, b);
  return array;
}

// pick turns a pair, which it owns, into what an iterator of that kind yields.
static JSValue pick(JSContext *ctx, int kind, JSValue pair[2]) {
  if (kind == PAIR_ENTRIES) return array_of(ctx, pair[0], pair[1]);
  JS_FreeValue(ctx, pair[kind == PAIR_KEYS]);
  return pair[kind == PAIR_VALUES];
}

static JSValue step(JSContext *ctx, JSValue value, bool done) {
  JSValue result = JS_NewObject(ctx);
  JS_SetPropertyStr(ctx, result, "value", value);
  JS_SetPropertyStr(ctx, result, "done", JS_NewBool(done));
  return result;
}

static JSValue iterator_next(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Iterator *it = JS_GetOpaque2(ctx, self, iterator_id);
  if (!it) return JS_EXCEPTION;
  JSValue pair[2];
  int got = JS_IsUndefined(it->target) ? 0 : pair_at(ctx, it->source, it->target, it->index++, pair);
  if (got < 0) return JS_EXCEPTION;
  if (got > 0) return step(ctx, pick(ctx, it->kind, pair), false);
  JS_FreeValue(ctx, it->target);
  it->target = JS_UNDEFINED;
  return step(ctx, JS_UNDEFINED, true);
}

static void iterator_finalize(JSRuntime *rt, JSValueConst value) {
  Iterator *it = JS_GetOpaque(value, iterator_id);
  if (!it) return;
  JS_FreeValueRT(rt, it->target);
  js_free_rt(rt, it);
}

static void iterator_mark(JSRuntime *rt, JSValueConst value, JS_MarkFunc *mark) {
  Iterator *it = JS_GetOpaque(value, iterator_id);
  if (it) JS_MarkValue(rt, it->target, mark);
}

static const JSCFunctionListEntry headers_members[] = {METHOD("next", 0, iterator_next), TAG("Headers Iterator")};
static const JSCFunctionListEntry params_members[] = {METHOD("next", 0, iterator_next), TAG("URLSearchParams Iterator")};

// %IteratorPrototype% has no name: it is the prototype of an array iterator's prototype.
static JSValue iterator_prototype(JSContext *ctx) {
  JSValue array = JS_NewArray(ctx);
  JSAtom values = JS_NewAtom(ctx, "values");
  JSValue iterator = JS_Invoke(ctx, array, values, 0, NULL);
  JSValue proto = JS_GetPrototype(ctx, iterator);
  JSValue base = JS_GetPrototype(ctx, proto);
  JS_FreeValue(ctx, proto);
  JS_FreeValue(ctx, iterator);
  JS_FreeAtom(ctx, values);
  JS_FreeValue(ctx, array);
  return base;
}

static void take_builtins(JSContext *ctx) {
  JSValue symbol = global_get("Symbol");
  JSValue well_known = JS_GetPropertyStr(ctx, symbol, "iterator");
  symbol_iterator = JS_ValueToAtom(ctx, well_known);
  JS_FreeValue(ctx, well_known);
  JS_FreeValue(ctx, symbol);
  JSValue array = global_get("Array");
  array_from = JS_GetPropertyStr(ctx, array, "from");
  JS_FreeValue(ctx, array);
}

void pairs_define(void) {
  JSContext *ctx = vm.ctx;
  JSClassDef definition = {
      .class_name = "Iterator", .finalizer = iterator_finalize, .gc_mark = iterator_mark};
  iterator_id = 0;
  JS_NewClassID(vm.rt, &iterator_id);
  JS_NewClass(vm.rt, iterator_id, &definition);
  JSValue base = iterator_prototype(ctx);
  for (int i = 0; i < 2; i++) iterator_protos[i] = JS_NewObjectProto(ctx, base);
  JS_FreeValue(ctx, base);
  JS_SetPropertyFunctionList(ctx, iterator_protos[PAIRS_HEADERS], headers_members, COUNT(headers_members));
  JS_SetPropertyFunctionList(ctx, iterator_protos[PAIRS_PARAMS], params_members, COUNT(params_members));
  take_builtins(ctx);
}

JSValue pairs_iterator(JSContext *ctx, PairSource source, JSValueConst target, int kind) {
  Iterator *it = js_malloc(ctx, sizeof *it);
  if (!it) return JS_EXCEPTION;
  *it = (Iterator){JS_DupValue(ctx, target), 0, source, kind};
  JSValue object = JS_NewObjectProtoClass(ctx, iterator_protos[source], iterator_id);
  if (!JS_IsException(object)) {
    JS_SetOpaque(object, it);
    return object;
  }
  JS_FreeValue(ctx, it->target);
  js_free(ctx, it);
  return object;
}

static bool call_back(JSContext *ctx, JSValueConst function, JSValueConst self, JSValueConst target, JSValue pair[2]) {
  JSValueConst arguments[3] = {pair[1], pair[0], target};
  JSValue result = JS_Call(ctx, function, self, 3, arguments);
  JS_FreeValue(ctx, pair[0]);
  JS_FreeValue(ctx, pair[1]);
  JS_FreeValue(ctx, result);
  return !JS_IsException(result);
}

JSValue pairs_for_each(JSContext *ctx, PairSource source, JSValueConst target, int argc, JSValueConst *argv) {
  JSValueConst function = argument(argc, argv, 0), self = argument(argc, argv, 1);
  if (!JS_IsFunction(ctx, function)) return JS_ThrowTypeError(ctx, "forEach: callback is not a function");
  JSValue pair[2];
  int got = 0;
  for (uint32_t i = 0; (got = pair_at(ctx, source, target, i, pair)) > 0; i++)
    if (!call_back(ctx, function, self, target, pair)) return JS_EXCEPTION;
  return got < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue list_of(JSContext *ctx, JSValueConst iterable) {
  if (!JS_IsObject(iterable)) return JS_ThrowTypeError(ctx, "each pair must be an iterable [name, value] pair");
  return JS_Call(ctx, array_from, JS_UNDEFINED, 1, &iterable);
}

static bool read_pair(JSContext *ctx, JSValueConst item, PairSink *sink, void *into) {
  JSValue pair = list_of(ctx, item);
  if (JS_IsException(pair)) return false;
  int64_t length = 0;
  bool ok = JS_GetLength(ctx, pair, &length) >= 0;
  if (ok && length != 2) {
    JS_ThrowTypeError(ctx, "each pair must have exactly two items, not %d", (int)length);
    ok = false;
  }
  JSValue name = JS_UNDEFINED, value = JS_UNDEFINED;
  if (ok) {
    name = JS_GetPropertyUint32(ctx, pair, 0);
    value = JS_GetPropertyUint32(ctx, pair, 1);
    ok = sink(ctx, into, name, value);
  }
  JS_FreeValue(ctx, name);
  JS_FreeValue(ctx, value);
  JS_FreeValue(ctx, pair);
  return ok;
}

static bool read_sequence(JSContext *ctx, JSValueConst init, PairSink *sink, void *into) {
  JSValue list = list_of(ctx, init);
  int64_t length = 0;
  bool ok = !JS_IsException(list) && JS_GetLength(ctx, list, &length) >= 0;
  for (int64_t i = 0; ok && i < length; i++) {
    JSValue item = JS_GetPropertyUint32(ctx, list, i);
    ok = !JS_IsException(item) && read_pair(ctx, item, sink, into);
    JS_FreeValue(ctx, item);
  }
  JS_FreeValue(ctx, list);
  return ok;
}

static bool read_member(JSContext *ctx, JSValueConst record, JSAtom key, PairSink *sink, void *into) {
  JSValue name = JS_AtomToString(ctx, key);
  JSValue value = JS_GetProperty(ctx, record, key);
  bool ok = !JS_IsException(name) && !JS_IsException(value) && sink(ctx, into, name, value);
  JS_FreeValue(ctx, name);
  JS_FreeValue(ctx, value);
  return ok;
}

static bool read_record(JSContext *ctx, JSValueConst init, PairSink *sink, void *into) {
  JSPropertyEnum *names;
  uint32_t count;
  if (JS_GetOwnPropertyNames(ctx, &names, &count, init, NAMES_STRING | NAMES_ENUMERABLE) < 0) return false;
  bool ok = true;
  for (uint32_t i = 0; ok && i < count; i++) ok = read_member(ctx, init, names[i].atom, sink, into);
  JS_FreePropertyEnum(ctx, names, count);
  return ok;
}

bool pairs_read(JSContext *ctx, JSValueConst init, PairSink *pair, PairSink *member, void *into) {
  JSValue method = JS_GetProperty(ctx, init, symbol_iterator);
  if (JS_IsException(method)) return false;
  bool sequence = !is_nullish(method);
  JS_FreeValue(ctx, method);
  return sequence ? read_sequence(ctx, init, pair, into) : read_record(ctx, init, member, into);
}
