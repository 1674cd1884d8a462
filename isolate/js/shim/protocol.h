// protocol.h: the wire between host and shim, as ../PROTOCOL.md describes it. The same numbers are
// in ../protocol.go.
#ifndef SW_PROTOCOL_H
#define SW_PROTOCOL_H

#include <stdint.h>

// Host to guest.
enum {
  OP_INIT,
  OP_ALLOC,
  OP_FREE,
  OP_IO,
  OP_MODULE,
  OP_START,
  OP_ENV,
  OP_EVENT,
  OP_RESOLVE,
  OP_DROP,
  OP_LIMIT,
  OP_HANDLERS,
  OP_GC,
  OP_CALL,
  OP_TURN,
};

// Guest to host.
enum {
  HOST_LOG = 0,
  HOST_RESPOND = 1,
  HOST_THROWN = 2,
  HOST_FETCH = 3,
  HOST_READ = 4,
  HOST_CANCEL = 5,
  HOST_WRITE = 6,
  HOST_END = 7,
  HOST_TIMER = 8,
  HOST_STOP = 9,
  HOST_NOW = 10,
  HOST_RANDOM = 11,
  HOST_HOLD = 12,
  HOST_HEAD = 13,
  HOST_IDNA = 14,
  HOST_STREAM = 15,
  HOST_WRITE2 = 16,
  HOST_REJECTED = 17,
  HOST_GONE = 18,
  HOST_END2 = 19,
  HOST_SERVICE = 20,
  HOST_TAKE = 21,
  HOST_FULL = 22,
  HOST_SOURCE = 23,
  HOST_WAKE = 24,
  HOST_WASM_CALL = 32,
  HOST_WASM = 33,
};

enum { FAILED = -1, PENDING = -1, REFUSED = -2, THROWN = -3, START_DONE = 0, START_PENDING = 1 };
enum { HANDLER_FETCH = 1 << 0, HANDLER_ANY = 1 << 1 };
enum { EVENT_HAS_BODY = 1 << 0, EVENT_INLINE = 1 << 1, EVENT_KIND_SHIFT = 8 };
enum { KIND_FETCH, KIND_RPC, KIND_TAIL };
enum { BODY_NONE, BODY_BYTES, BODY_HANDLE, BODY_STREAM };
enum { RESPONSE_UNTOUCHED = 1 << 0, RESPONSE_MANUAL = 1 << 1 };
enum { REQUEST_FLAT, REQUEST_UNTOUCHED };
enum { NO_BINDING = -1 };  // a plain fetch()
enum { RESOLVE_OK, RESOLVE_FAILED, RESOLVE_THROWN };
enum { MODULE_ES, MODULE_JS, MODULE_WASM, MODULE_TEXT, MODULE_DATA, MODULE_JSON, MODULE_MAP };
enum { START_KIND = 255, START_NODE = 256, START_BUFFER = 512, START_PROCESS = 1024, START_INTL = 2048 };
enum { LOG_LINE_SHIFT = 8 };
enum { IO_BYTES = 64 << 10, MAX_TEXT = 60000, MAX_IDNA = 1024, MAX_PARTS = 12 };

typedef struct {
  uint32_t head_len, params_len, entrypoint_len, flags, body, inline_len, props_len;
} EventBlock;

typedef struct {
  uint32_t status, header_count, headers, headers_len, body_kind, body;
  int32_t body_len;
  uint32_t flags, handle, text, text_len, reserved;
} ResponseBlock;

typedef struct {
  int32_t binding;
  uint32_t request_kind, head, head_len, body_kind, body;
  int32_t body_len;
  uint32_t name, name_len, options, options_len, redirect, kind, reserved;
} FetchBlock;

typedef struct {
  uint32_t stream, ptr, len, op;
} Write2Block;

typedef struct {
  uint32_t service, method, object, count;
  struct {
    uint32_t ptr, len;
  } parts[MAX_PARTS];
} ServiceBlock;

// RESOLVE's payload for a fetch; the URL and the status text follow.
typedef struct {
  uint32_t status, response, body;
  int32_t body_len;
  uint32_t url_len, redirected, text_len;
} FetchedBlock;

// The fixed part of a flat head (../../abi/head.go). A response head has its status in word 0 and
// 0 in word 1.
typedef struct {
  uint32_t method_len, url_len, header_count, headers_len;
} HeadBlock;

__attribute__((import_module("switchyard"), import_name("host"))) int host(int op, int req, int b, int c, int d);

static inline int address(const void *p) { return (int)(uintptr_t)p; }

#endif
