#include "module.h"

#include <stdio.h>
#include <string.h>

#include "atoms.h"
#include "entry.h"
#include "event.h"
#include "hooks.h"
#include "parse.h"
#include "report.h"
#include "service.h"
#include "text.h"

enum { MAX_IMPORTER = 256 };

typedef struct Source {
  struct Source *next;
  char *name;  // terminated
  char *text;  // terminated
  uint32_t len, kind;
  bool compiled;
} Source;

static Source *sources;
static JSValue namespace = JS_UNDEFINED;
static bool script;

// Who asked for the module that is being loaded, for the error that there is none; and whether that
// error is START's.
static char importer[MAX_IMPORTER];
static bool starting;

static char *copy_terminated(JSContext *ctx, const char *bytes, size_t n) {
  char *copy = js_malloc(ctx, n + 1);
  if (!copy) return NULL;
  memcpy(copy, bytes, n);
  copy[n] = 0;
  return copy;
}

static Source *find(const char *name) {
  for (Source *s = sources; s; s = s->next)
    if (strcmp(s->name, name) == 0) return s;
  return NULL;
}

int module_register(char *block, uint32_t len, uint32_t kind) {
  JSContext *ctx = vm.ctx;
  uint32_t name_len;
  memcpy(&name_len, block, sizeof name_len);
  const char *name = block + sizeof name_len, *text = name + name_len;
  Source *source = js_mallocz(ctx, sizeof *source);
  if (source) {
    source->name = copy_terminated(ctx, name, name_len);
    source->len = len - sizeof name_len - name_len;
    source->text = copy_terminated(ctx, text, source->len);
    source->kind = kind;
  }
  memset(block, 0, len);  // what is freed with text in it lies in the snapshot
  if (!source || !source->name || !source->text) return report_failure(ctx);
  source->next = sources;
  sources = source;
  return 0;
}

// drop_text forgets the text of a module that is compiled and cannot be unloaded: its functions
// have what toString() needs.
static void drop_text(JSContext *ctx, Source *source) {
  memset(source->text, 0, source->len);
  js_free(ctx, source->text);
  source->text = NULL;
}

// ---- names

// Up one directory: "a/b/" → "a/". False: there is none.
static bool parent(Buffer *path) {
  if (path->len == 0) return false;
  path->len--;
  while (path->len > 0 && path->data[path->len - 1] != '/') path->len--;
  return true;
}

static bool begins(const char *name, const char *with) { return strncmp(name, with, strlen(with)) == 0; }

static bool is_relative(const char *name) {
  return begins(name, "./") || begins(name, "../");
}

// What Node's modules are made of is for them alone.
static bool hidden(const char *base, const char *name) {
  bool ours = begins(base, "node:") || begins(base, "node-internal:");
  return begins(name, "node-internal:") && (!ours || find(base));
}

// What is hidden from a module is, to it, a name that no module can have.
enum { NOWHERE = 0x7F };

// "./x" and "../x" are relative to the importing module, "/x" to the root; anything else is a
// module's full name.
static char *normalize(JSContext *ctx, const char *base, const char *name, void *opaque) {
  snprintf(importer, sizeof importer, "%s", base);
  if (*name == '/') name++;
  Buffer path = {0};
  if (hidden(base, name)) buffer_byte(&path, NOWHERE);
  const char *slash = strrchr(base, '/');
  if (is_relative(name) && slash) buffer_put(&path, base, slash + 1 - base);
  while (is_relative(name)) {
    bool up = name[1] == '.';
    if (up && !parent(&path)) {
      buffer_free(&path);
      JS_ThrowPlainError(ctx, "No such module \"%s\": it is above the root.", name);
      return NULL;
    }
    name += up ? 3 : 2;
  }
  buffer_put(&path, name, strlen(name) + 1);
  return buffer_ok(ctx, &path) ? path.data : NULL;
}

// ---- kinds

static int init_default(JSContext *ctx, JSModuleDef *module) {
  return JS_SetModuleExport(ctx, module, "default", JS_GetModulePrivateValue(ctx, module));
}

static JSModuleDef *value_module(JSContext *ctx, const char *name, JSValue value) {
  if (JS_IsException(value)) return NULL;
  JSModuleDef *module = JS_NewCModule(ctx, name, init_default);
  if (!module) {
    JS_FreeValue(ctx, value);
    return NULL;
  }
  JS_AddModuleExport(ctx, module, "default");
  JS_SetModulePrivateValue(ctx, module, value);
  return module;
}

static JSModuleDef *compile(JSContext *ctx, const char *name, const char *text, uint32_t len) {
  JSValue compiled = JS_Eval(ctx, text, len, name, EVAL_MODULE | EVAL_COMPILE_ONLY);
  if (JS_IsException(compiled)) return NULL;
  JSModuleDef *module = value_pointer(compiled);
  JS_FreeValue(ctx, compiled);  // the context keeps its modules
  return module;
}

// wasm_module makes a WebAssembly.Module of the host's description.
static JSValue wasm_module(JSContext *ctx, const Source *s) {
  JSValue description = parse_json(ctx, s->text, s->len, s->name);
  if (JS_IsException(description)) return description;
  JSValue module = hook_call1(ctx, HOOK_WASM_MODULE, description);
  JS_FreeValue(ctx, description);
  return module;
}

static JSModuleDef *compile_source(JSContext *ctx, Source *s) {
  JSModuleDef *module = compile(ctx, s->name, s->text, s->len);
  if (!module) return NULL;
  s->compiled = true;
  drop_text(ctx, s);
  return module;
}

static JSModuleDef *load_source(JSContext *ctx, Source *s) {
  switch (s->kind) {
    case MODULE_ES:
      return compile_source(ctx, s);
    case MODULE_TEXT:
      return value_module(ctx, s->name, new_text(ctx, s->text, s->len));
    case MODULE_DATA:
      return value_module(ctx, s->name, JS_NewArrayBufferCopy(ctx, (const uint8_t *)s->text, s->len));
    case MODULE_WASM:
      return value_module(ctx, s->name, wasm_module(ctx, s));
    case MODULE_JSON:
      return value_module(ctx, s->name, parse_json(ctx, s->text, s->len, s->name));
    default:
      JS_ThrowTypeError(ctx, "Module \"%s\" is of a kind that JavaScript cannot import.", s->name);
      return NULL;
  }
}

// ---- modules that the prelude provides

static bool each_name(JSContext *ctx, JSValueConst exports, JSModuleDef *module, bool set) {
  JSPropertyEnum *names;
  uint32_t count;
  if (JS_GetOwnPropertyNames(ctx, &names, &count, exports, NAMES_STRING | NAMES_ENUMERABLE) < 0) return false;
  for (uint32_t i = 0; i < count; i++) {
    JSValue key = JS_AtomToString(ctx, names[i].atom);
    Text name;
    if (usv_text(ctx, key, &name)) {
      if (set)
        JS_SetModuleExport(ctx, module, name.data, JS_GetProperty(ctx, exports, names[i].atom));
      else
        JS_AddModuleExport(ctx, module, name.data);
      text_free(ctx, &name);
    }
    JS_FreeValue(ctx, key);
  }
  JS_FreePropertyEnum(ctx, names, count);
  return true;
}

static int init_builtin(JSContext *ctx, JSModuleDef *module) {
  JSValue exports = JS_GetModulePrivateValue(ctx, module);
  bool ok = each_name(ctx, exports, module, true);
  JS_FreeValue(ctx, exports);
  return ok ? 0 : -1;
}

static JSModuleDef *load_builtin(JSContext *ctx, const char *name, JSValue exports) {
  JSModuleDef *module = JS_NewCModule(ctx, name, init_builtin);
  if (!module || !each_name(ctx, exports, module, false)) {
    JS_FreeValue(ctx, exports);
    return NULL;
  }
  JS_SetModulePrivateValue(ctx, module, exports);
  return module;
}

static int init_missing(JSContext *ctx, JSModuleDef *module) {
  JSValue name = JS_GetModulePrivateValue(ctx, module);
  Text text;
  if (usv_text(ctx, name, &text)) {
    JS_ThrowPlainError(ctx, "No such module \"%s\".", text.data);
    text_free(ctx, &text);
  }
  JS_FreeValue(ctx, name);
  return -1;
}

// no_module fails for START. Later a module that imports the missing one may be part of a cycle, of which
// the engine would free just that member: so there is one, which throws when it is evaluated.
static JSModuleDef *no_module(JSContext *ctx, const char *name) {
  const char *said = *name == NOWHERE ? name + 1 : name;
  if (starting) {
    JS_ThrowPlainError(ctx, "No such module \"%s\".\n  imported from \"%s\"", said, importer);
    return NULL;
  }
  JSModuleDef *module = JS_NewCModule(ctx, name, init_missing);
  if (module) JS_SetModulePrivateValue(ctx, module, JS_NewStringLen(ctx, said, strlen(said)));
  return module;
}

// load_hosted asks the host for the source of a module of Node's, which no Worker pays for that
// does not import it.
static JSModuleDef *load_hosted(JSContext *ctx, const char *name) {
  int len = host(HOST_SOURCE, vm.current, address(name), strlen(name), 0);
  if (len == REFUSED) return no_module(ctx, name);
  char *text = js_malloc(ctx, len + 1);
  if (!text) return NULL;
  answer_copy(text, len);
  text[len] = 0;
  JSModuleDef *module = compile(ctx, name, text, len);
  memset(text, 0, len);
  js_free(ctx, text);
  return module;
}

static JSModuleDef *load(JSContext *ctx, const char *name, void *opaque) {
  if (*name == NOWHERE) return no_module(ctx, name);
  Source *source = find(name);
  if (source) return load_source(ctx, source);
  JSValue exports = hook_module(ctx, name);
  if (JS_IsException(exports)) return NULL;
  return JS_IsObject(exports) ? load_builtin(ctx, name, exports) : load_hosted(ctx, name);
}

void module_define(void) { JS_SetModuleLoaderFunc(vm.rt, normalize, load, NULL); }

// ---- the main module

static int start_script(JSContext *ctx, const Source *source) {
  script = true;
  event_expose();
  JSValue result = JS_Eval(ctx, source->text, source->len, source->name, EVAL_GLOBAL);
  if (JS_IsException(result)) return report_failure(ctx);
  JS_FreeValue(ctx, result);
  entry_drain();
  return START_DONE;
}

// Module evaluation is a promise: pending means that something is awaited at the top level.
static int outcome(JSContext *ctx, JSValue promise) {
  JS_PromiseMarkAsHandled(ctx, promise);
  entry_drain();
  JSPromiseState state = JS_PromiseState(ctx, promise);
  int result = state == PROMISE_PENDING ? START_PENDING : START_DONE;
  if (state == PROMISE_REJECTED) {
    JS_Throw(ctx, JS_PromiseResult(ctx, promise));
    result = report_failure(ctx);
  }
  JS_FreeValue(ctx, promise);
  return result;
}

// compile_rest compiles what nothing has imported so far: no module has bad syntax.
static bool compile_rest(JSContext *ctx) {
  for (Source *s = sources; s; s = s->next)
    if (s->kind == MODULE_ES && !s->compiled && !compile_source(ctx, s)) return false;
  return true;
}

static int start_module(JSContext *ctx, Source *source) {
  starting = true;
  JSModuleDef *module = compile_source(ctx, source);
  starting = false;
  if (!module || !compile_rest(ctx)) return report_failure(ctx);
  JSValue promise = JS_EvalFunction(ctx, JS_DupValue(ctx, VALUE(TAG_MODULE, (uintptr_t)module)));
  if (JS_IsException(promise)) return report_failure(ctx);
  int result = outcome(ctx, promise);
  if (result == START_DONE) namespace = JS_GetModuleNamespace(ctx, module);
  return result;
}

static bool node_globals(JSContext *ctx, uint32_t kind) {
  JSValue used[] = {JS_NewBool(kind & START_BUFFER), JS_NewBool(kind & START_PROCESS)};
  JSValue result = hook_call(ctx, HOOK_NODE_GLOBALS, COUNT(used), used);
  JS_FreeValue(ctx, result);
  return !JS_IsException(result);
}

static bool load_intl(JSContext *ctx) {
  JSValue result = hook_call(ctx, HOOK_LOAD_INTL, 0, NULL);
  JS_FreeValue(ctx, result);
  return !JS_IsException(result);
}

int module_start(const char *name, uint32_t len, uint32_t kind) {
  JSContext *ctx = vm.ctx;
  char *terminated = copy_terminated(ctx, name, len);
  Source *source = terminated ? find(terminated) : NULL;
  if (terminated && !source) JS_ThrowPlainError(ctx, "No such module \"%s\".", terminated);
  js_free(ctx, terminated);
  if (!source || (kind & START_NODE && !node_globals(ctx, kind)) || (kind & START_INTL && !load_intl(ctx))) return report_failure(ctx);
  return (kind & START_KIND) == MODULE_JS ? start_script(ctx, source) : start_module(ctx, source);
}

// ---- modules that are wanted at once

static JSValue evaluated(JSContext *ctx, JSValue promise) {
  if (JS_IsException(promise)) return promise;
  JS_PromiseMarkAsHandled(ctx, promise);
  JSValue result = JS_UNDEFINED;
  if (JS_PromiseState(ctx, promise) == PROMISE_REJECTED) result = JS_Throw(ctx, JS_PromiseResult(ctx, promise));
  JS_FreeValue(ctx, promise);
  return result;
}

// A module without a top-level await is evaluated by the time that EvalFunction returns.
JSValue module_require(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  Text name;
  Buffer source = {0};
  if (!usv_text(ctx, argument(argc, argv, 0), &name)) return JS_EXCEPTION;
  buffer_text(&source, "export{default}from\"");
  buffer_put(&source, name.data, name.len);
  buffer_put(&source, "\"", 2);
  text_free(ctx, &name);
  if (!buffer_ok(ctx, &source)) return JS_EXCEPTION;
  JSValue compiled = JS_Eval(ctx, source.data, source.len - 1, "node:require", EVAL_MODULE | EVAL_COMPILE_ONLY);
  buffer_free(&source);
  if (JS_IsException(compiled)) return compiled;
  JSModuleDef *module = value_pointer(compiled);
  if (JS_IsException(evaluated(ctx, JS_EvalFunction(ctx, compiled)))) return JS_EXCEPTION;
  JSValue exports = JS_GetModuleNamespace(ctx, module);
  JSValue value = JS_GetProperty(ctx, exports, atom.default_);
  JS_FreeValue(ctx, exports);
  return value;
}

JSValueConst module_namespace(void) { return namespace; }

bool module_is_script(void) { return script; }

JSValue module_export(JSContext *ctx, JSAtom name) {
  return JS_IsObject(namespace) ? JS_GetProperty(ctx, namespace, name) : JS_UNDEFINED;
}
