#include "bytecode.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"

// The engine wants a NUL behind the source.
static JSValue compile(JSContext *ctx, const char *source, uint32_t len, const char *file) {
  Buffer text = {0};
  buffer_put(&text, source, len);
  buffer_byte(&text, 0);
  if (!buffer_ok(ctx, &text)) return JS_EXCEPTION;
  JSValue compiled = JS_Eval(ctx, text.data, text.len - 1, file, EVAL_GLOBAL | EVAL_COMPILE_ONLY);
  buffer_free(&text);
  return compiled;
}

static bool take(JSContext *ctx, uint8_t *written, size_t len, Bytecode *code) {
  *code = (Bytecode){malloc(len), len};
  if (code->data)
    memcpy(code->data, written, len);
  else
    JS_ThrowOutOfMemory(ctx);
  js_free(ctx, written);
  return code->data != NULL;
}

int bytecode_compile(const char *source, uint32_t len, const char *file, Bytecode *code) {
  JSContext *ctx = vm.ctx;
  JSValue compiled = compile(ctx, source, len, file);
  if (JS_IsException(compiled)) return report_failure(ctx);
  size_t size;
  uint8_t *written = JS_WriteObject(ctx, &size, compiled, WRITE_BYTECODE | WRITE_STRIP_SOURCE);
  JS_FreeValue(ctx, compiled);
  return written && take(ctx, written, size, code) ? 0 : report_failure(ctx);
}

JSValue bytecode_run(JSContext *ctx, const Bytecode *code) {
  JSValue compiled = JS_ReadObject(ctx, code->data, code->len, READ_BYTECODE);
  return JS_IsException(compiled) ? compiled : JS_EvalFunction(ctx, compiled);
}
