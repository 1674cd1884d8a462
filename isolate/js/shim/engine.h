// engine.h: the part of QuickJS-ng 0.17's C API that we link against, as the npm package's wasm
// exports it. These are our own declarations: the package carries no header. What must match is
// the ABI, and build.mjs checks the hash of the binary they were written for.
//
// A JSValue is 64 bits, NaN-boxed: tag in the high word, payload (int, bool, pointer) in the low
// one. A function that takes JSValue owns it afterwards; JSValueConst stays the caller's. What is
// returned as JSValue is the caller's.
#ifndef SW_ENGINE_H
#define SW_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct JSRuntime JSRuntime;
typedef struct JSContext JSContext;
typedef struct JSModuleDef JSModuleDef;
typedef struct JSGCObjectHeader JSGCObjectHeader;
typedef uint32_t JSAtom;
typedef uint32_t JSClassID;
typedef uint64_t JSValue;
typedef JSValue JSValueConst;

enum {
  TAG_FIRST = -9,
  TAG_SYMBOL = -8,
  TAG_STRING = -7,
  TAG_ROPE = -6,
  TAG_MODULE = -3,
  TAG_OBJECT = -1,
  TAG_INT = 0,
  TAG_BOOL = 1,
  TAG_NULL = 2,
  TAG_UNDEFINED = 3,
  TAG_EXCEPTION = 6,
  TAG_FLOAT64 = 8,  // and every tag from here on, or below TAG_FIRST: the high word of a double
};

#define VALUE(tag, payload) (((uint64_t)(tag) << 32) | (uint32_t)(payload))
#define JS_NULL VALUE(TAG_NULL, 0)
#define JS_UNDEFINED VALUE(TAG_UNDEFINED, 0)
#define JS_FALSE VALUE(TAG_BOOL, 0)
#define JS_TRUE VALUE(TAG_BOOL, 1)
#define JS_EXCEPTION VALUE(TAG_EXCEPTION, 0)

static inline int value_tag(JSValueConst v) { return (int)(v >> 32); }
static inline void *value_pointer(JSValueConst v) { return (void *)(uintptr_t)(uint32_t)v; }
static inline bool JS_IsException(JSValueConst v) { return value_tag(v) == TAG_EXCEPTION; }
static inline bool JS_IsUndefined(JSValueConst v) { return value_tag(v) == TAG_UNDEFINED; }
static inline bool JS_IsNull(JSValueConst v) { return value_tag(v) == TAG_NULL; }
static inline bool JS_IsObject(JSValueConst v) { return value_tag(v) == TAG_OBJECT; }
static inline bool JS_IsString(JSValueConst v) {
  return value_tag(v) == TAG_STRING || value_tag(v) == TAG_ROPE;
}
static inline bool JS_IsNumber(JSValueConst v) {
  return value_tag(v) == TAG_INT || (uint32_t)(value_tag(v) - TAG_FIRST) >= (uint32_t)(TAG_FLOAT64 - TAG_FIRST);
}
static inline bool is_nullish(JSValueConst v) { return JS_IsUndefined(v) || JS_IsNull(v); }
static inline JSValue JS_NewBool(bool v) { return VALUE(TAG_BOOL, v); }
static inline JSValue JS_NewInt32(int32_t v) { return VALUE(TAG_INT, v); }

// Runtime and context.
JSRuntime *JS_NewRuntime(void);
typedef struct JSMallocFunctions {
  void *(*calloc)(void *opaque, size_t count, size_t size);
  void *(*malloc)(void *opaque, size_t size);
  void (*free)(void *opaque, void *);
  void *(*realloc)(void *opaque, void *, size_t size);
  size_t (*usable_size)(const void *);
} JSMallocFunctions;
JSRuntime *JS_NewRuntime2(const JSMallocFunctions *, void *opaque);
JSContext *JS_NewContext(JSRuntime *);
void JS_FreeContext(JSContext *);
void JS_FreeRuntime(JSRuntime *);
void JS_SetMemoryLimit(JSRuntime *, size_t bytes);
void JS_SetMaxStackSize(JSRuntime *, size_t bytes);
void JS_SetGCThreshold(JSRuntime *, size_t bytes);
void JS_RunGC(JSRuntime *);
bool JS_IsJobPending(JSRuntime *);
int JS_ExecutePendingJob(JSRuntime *, JSContext **);

// Allocation counted against the memory limit. The _rt variants do not throw.
void *js_malloc(JSContext *, size_t);
void *js_mallocz(JSContext *, size_t);
void *js_realloc(JSContext *, void *, size_t);
void js_free(JSContext *, void *);
void *js_realloc_rt(JSRuntime *, void *, size_t);
void js_free_rt(JSRuntime *, void *);

// Reference counts. JS_GetOpaque and friends borrow.
JSValue JS_DupValue(JSContext *, JSValueConst);
void JS_FreeValue(JSContext *, JSValue);
void JS_FreeValueRT(JSRuntime *, JSValue);
typedef void JS_MarkFunc(JSRuntime *, JSGCObjectHeader *);
void JS_MarkValue(JSRuntime *, JSValueConst, JS_MarkFunc *);

// Atoms are interned property names.
JSAtom JS_NewAtom(JSContext *, const char *);
JSAtom JS_NewAtomLen(JSContext *, const char *, size_t);
JSAtom JS_DupAtom(JSContext *, JSAtom);
void JS_FreeAtom(JSContext *, JSAtom);
JSValue JS_AtomToString(JSContext *, JSAtom);
JSAtom JS_ValueToAtom(JSContext *, JSValueConst);
JSValue JS_NewPrivateSymbol(JSContext *, const char *description);  // no enumeration finds its properties

// Strings. C strings are UTF-8, lone surrogates as three bytes each, NUL-terminated.
JSValue JS_NewStringLen(JSContext *, const char *, size_t);
JSValue JS_NewStringUTF16(JSContext *, const uint16_t *, size_t);
JSValue JS_ToString(JSContext *, JSValueConst);
const char *JS_ToCStringLen2(JSContext *, size_t *length, JSValueConst, bool cesu8);
void JS_FreeCString(JSContext *, const char *);

// Numbers.
int JS_ToBool(JSContext *, JSValueConst);
int JS_ToInt32(JSContext *, int32_t *, JSValueConst);
int JS_ToFloat64(JSContext *, double *, JSValueConst);
JSValue JS_NewNumber(JSContext *, double);
int JS_ToBigInt64(JSContext *, int64_t *, JSValueConst);  // throws for a Number
JSValue JS_NewBigInt64(JSContext *, int64_t);

// Errors.
JSValue JS_Throw(JSContext *, JSValue);
JSValue JS_GetException(JSContext *);
bool JS_IsError(JSValueConst);
JSValue JS_NewError(JSContext *);
JSValue JS_ThrowTypeError(JSContext *, const char *format, ...);
JSValue JS_ThrowSyntaxError(JSContext *, const char *format, ...);
JSValue JS_ThrowRangeError(JSContext *, const char *format, ...);
JSValue JS_ThrowReferenceError(JSContext *, const char *format, ...);
JSValue JS_ThrowPlainError(JSContext *, const char *format, ...);
JSValue JS_ThrowOutOfMemory(JSContext *);

// Objects and properties.
JSValue JS_GetGlobalObject(JSContext *);
JSValue JS_NewObject(JSContext *);
JSValue JS_NewObjectProto(JSContext *, JSValueConst proto);
JSValue JS_NewArray(JSContext *);
JSValue JS_NewArrayFrom(JSContext *, int length, const JSValue *);  // owns the elements afterwards
bool JS_IsArray(JSValueConst);
bool JS_IsFunction(JSContext *, JSValueConst);
bool JS_IsConstructor(JSContext *, JSValueConst);
JSValue JS_GetProperty(JSContext *, JSValueConst, JSAtom);
JSValue JS_GetPropertyStr(JSContext *, JSValueConst, const char *);
JSValue JS_GetPropertyUint32(JSContext *, JSValueConst, uint32_t);
int JS_SetProperty(JSContext *, JSValueConst, JSAtom, JSValue);
int JS_SetPropertyStr(JSContext *, JSValueConst, const char *, JSValue);
int JS_SetPropertyUint32(JSContext *, JSValueConst, uint32_t, JSValue);
int JS_DefinePropertyValue(JSContext *, JSValueConst, JSAtom, JSValue, int flags);
int JS_DefinePropertyValueStr(JSContext *, JSValueConst, const char *, JSValue, int flags);
JSValue JS_GetPrototype(JSContext *, JSValueConst);
int JS_GetLength(JSContext *, JSValueConst, int64_t *);
bool JS_IsProxy(JSValueConst);
bool JS_IsRegExp(JSValueConst);

// A descriptor's values are the caller's; both of an accessor's are in getter and setter.
typedef struct JSPropertyDescriptor {
  int flags;
  JSValue value, getter, setter;
} JSPropertyDescriptor;
int JS_GetOwnProperty(JSContext *, JSPropertyDescriptor *, JSValueConst, JSAtom);  // 1: there is one; NULL: just ask

typedef struct JSPropertyEnum {
  bool is_enumerable;
  JSAtom atom;
} JSPropertyEnum;
int JS_GetOwnPropertyNames(JSContext *, JSPropertyEnum **, uint32_t *length, JSValueConst, int flags);
void JS_FreePropertyEnum(JSContext *, JSPropertyEnum *, uint32_t length);
enum { NAMES_STRING = 1 << 0, NAMES_SYMBOL = 1 << 1, NAMES_ENUMERABLE = 1 << 4 };

// Classes.
typedef void JSClassFinalizer(JSRuntime *, JSValueConst);
typedef void JSClassGCMark(JSRuntime *, JSValueConst, JS_MarkFunc *);
typedef struct JSClassDef {
  const char *class_name;
  JSClassFinalizer *finalizer;
  JSClassGCMark *gc_mark;
  void *call;
  void *exotic;
} JSClassDef;
JSClassID JS_NewClassID(JSRuntime *, JSClassID *);
JSClassID JS_GetClassID(JSValueConst);
int JS_NewClass(JSRuntime *, JSClassID, const JSClassDef *);
void JS_SetClassProto(JSContext *, JSClassID, JSValue);
JSValue JS_NewObjectProtoClass(JSContext *, JSValueConst proto, JSClassID);
int JS_SetOpaque(JSValueConst, void *);
void *JS_GetOpaque(JSValueConst, JSClassID);
void *JS_GetAnyOpaque(JSValueConst, JSClassID *);  // the first word behind the object's header
void *JS_GetOpaque2(JSContext *, JSValueConst, JSClassID);  // throws when it is another class
int JS_SetConstructor(JSContext *, JSValueConst constructor, JSValueConst proto);

// Calls.
typedef JSValue JSCFunction(JSContext *, JSValueConst self, int argc, JSValueConst *argv);
typedef JSValue JSCFunctionData(JSContext *, JSValueConst self, int argc, JSValueConst *argv, int magic,
                                JSValueConst *data);
JSValue JS_Call(JSContext *, JSValueConst function, JSValueConst self, int argc, JSValueConst *argv);
JSValue JS_CallConstructor(JSContext *, JSValueConst, int argc, JSValueConst *argv);
JSValue JS_Invoke(JSContext *, JSValueConst self, JSAtom, int argc, JSValueConst *argv);
JSValue JS_NewCFunction2(JSContext *, JSCFunction *, const char *name, int length, int kind, int magic);
JSValue JS_NewCFunctionData(JSContext *, JSCFunctionData *, int length, int magic, int count, JSValueConst *data);
enum { CALL_GENERIC = 0, CALL_GENERIC_MAGIC = 1, CALL_CONSTRUCTOR = 2, CALL_CONSTRUCTOR_OR_FUNCTION = 4 };

// Property tables.
//
//    0  name     4  flags u8   5  kind u8   6  magic i16
//    8  length u8, call kind u8, pad;  12 function      or     8 getter;  12 setter
//    8  text
typedef struct JSCFunctionListEntry {
  const char *name;
  uint8_t flags;
  uint8_t kind;
  int16_t magic;
  union {
    struct {
      uint8_t length;
      uint8_t call;
      const void *function;
    } method;
    struct {
      const void *get;
      const void *set;
    } accessor;
    struct {
      const char *name;
      int base;
    } alias;
    const char *text;
    uint64_t size;
  } u;
} JSCFunctionListEntry;
int JS_SetPropertyFunctionList(JSContext *, JSValueConst, const JSCFunctionListEntry *, int length);

enum { CONFIGURABLE = 1 << 0, WRITABLE = 1 << 1, ENUMERABLE = 1 << 2 };
enum { ENTRY_METHOD = 0, ENTRY_ACCESSOR = 1, ENTRY_ACCESSOR_MAGIC = 2, ENTRY_TEXT = 3, ENTRY_ALIAS = 9 };

// Members of Web IDL interfaces are enumerable.
#define METHOD(n, len, fn) \
  {n, CONFIGURABLE | WRITABLE | ENUMERABLE, ENTRY_METHOD, 0, {.method = {len, CALL_GENERIC, fn}}}
#define METHOD_MAGIC(n, len, fn, m) \
  {n, CONFIGURABLE | WRITABLE | ENUMERABLE, ENTRY_METHOD, m, {.method = {len, CALL_GENERIC_MAGIC, fn}}}
#define ACCESSOR(n, getter, setter) \
  {n, CONFIGURABLE | ENUMERABLE, ENTRY_ACCESSOR, 0, {.accessor = {getter, setter}}}
#define ACCESSOR_MAGIC(n, getter, setter, m) \
  {n, CONFIGURABLE | ENUMERABLE, ENTRY_ACCESSOR_MAGIC, m, {.accessor = {getter, setter}}}
#define TAG(text_) {"[Symbol.toStringTag]", CONFIGURABLE, ENTRY_TEXT, 0, {.text = text_}}
#define ITERATOR(from) {"[Symbol.iterator]", CONFIGURABLE | WRITABLE, ENTRY_ALIAS, 0, {.alias = {from, -1}}}

// JSON.
JSValue JS_ParseJSON(JSContext *, const char *terminated, size_t length, const char *file);
JSValue JS_JSONStringify(JSContext *, JSValueConst, JSValueConst replacer, JSValueConst space);

// Buffers.
JSValue JS_NewArrayBufferCopy(JSContext *, const uint8_t *, size_t);
uint8_t *JS_GetArrayBuffer(JSContext *, size_t *, JSValueConst);  // throws when it is none
bool JS_IsArrayBuffer(JSValueConst);
bool JS_IsDataView(JSValueConst);
enum { TYPED_ARRAY_UINT8 = 2 };
JSValue JS_NewTypedArray(JSContext *, int argc, JSValueConst *argv, int type);
JSValue JS_NewUint8ArrayCopy(JSContext *, const uint8_t *, size_t);
uint8_t *JS_GetUint8Array(JSContext *, size_t *, JSValueConst);  // throws when it is none
JSValue JS_GetTypedArrayBuffer(JSContext *, JSValueConst, size_t *offset, size_t *length, size_t *element);
int JS_GetTypedArrayType(JSValueConst);  // -1: not a typed array
enum { TYPED_UINT8 = 2 };

// Promises.
typedef enum {
  PROMISE_NONE = -1,
  PROMISE_PENDING = 0,
  PROMISE_FULFILLED = 1,
  PROMISE_REJECTED = 2,
} JSPromiseState;
JSValue JS_NewPromiseCapability(JSContext *, JSValue functions[2]);
JSValue JS_NewSettledPromise(JSContext *, bool rejected, JSValueConst);
JSPromiseState JS_PromiseState(JSContext *, JSValueConst);
JSValue JS_PromiseResult(JSContext *, JSValueConst);
bool JS_IsPromise(JSValueConst);
void JS_PromiseMarkAsHandled(JSContext *, JSValueConst);
JSValue JS_PromiseThen(JSContext *, JSValueConst, JSValueConst fulfilled, JSValueConst rejected);
typedef void JSHostPromiseRejectionTracker(JSContext *, JSValueConst promise, JSValueConst reason, bool handled,
                                           void *opaque);
void JS_SetHostPromiseRejectionTracker(JSRuntime *, JSHostPromiseRejectionTracker *, void *opaque);

typedef void JSPromiseHook(JSContext *, int type, JSValueConst promise, JSValueConst parent, void *opaque);
void JS_SetPromiseHook(JSRuntime *, JSPromiseHook *, void *opaque);
enum { PROMISE_HOOK_INIT = 0 };  // a promise was made

// Source and modules. Source must be followed by a NUL.
JSValue JS_Eval(JSContext *, const char *source, size_t length, const char *file, int flags);
JSValue JS_EvalFunction(JSContext *, JSValue compiled);
JSValue JS_GetModuleNamespace(JSContext *, JSModuleDef *);
enum { EVAL_GLOBAL = 0, EVAL_MODULE = 1, EVAL_COMPILE_ONLY = 1 << 5 };

// Bytecode is trusted input: only what this process wrote may be read.
uint8_t *JS_WriteObject(JSContext *, size_t *length, JSValueConst, int flags);
JSValue JS_ReadObject(JSContext *, const uint8_t *, size_t length, int flags);
enum { WRITE_BYTECODE = 1 << 0, WRITE_STRIP_SOURCE = 1 << 4, READ_BYTECODE = 1 << 0 };

typedef char *JSModuleNormalizeFunc(JSContext *, const char *base, const char *name, void *opaque);
typedef JSModuleDef *JSModuleLoaderFunc(JSContext *, const char *name, void *opaque);
void JS_SetModuleLoaderFunc(JSRuntime *, JSModuleNormalizeFunc *, JSModuleLoaderFunc *, void *opaque);
typedef int JSModuleInitFunc(JSContext *, JSModuleDef *);
JSModuleDef *JS_NewCModule(JSContext *, const char *name, JSModuleInitFunc *);
int JS_AddModuleExport(JSContext *, JSModuleDef *, const char *name);
int JS_SetModuleExport(JSContext *, JSModuleDef *, const char *name, JSValue);
int JS_SetModulePrivateValue(JSContext *, JSModuleDef *, JSValue);
JSValue JS_GetModulePrivateValue(JSContext *, JSModuleDef *);

// The module's own constructors, run by INIT.
void _initialize(void);

#endif
