/* The contract switchyard:abi/1 for Workers written in C. ABI.md says what each function does.
 *
 * Freestanding: no libc is needed. Link without an entry point and export `handle`:
 *
 *   clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry -Wl,--export=handle worker.c -o worker.wasm
 */
#ifndef SWITCHYARD_H
#define SWITCHYARD_H

#include <stddef.h>
#include <stdint.h>

#define SY_IMPORT(name) __attribute__((import_module("switchyard:abi/1"), import_name(#name)))
#define SY_EXPORT(name) __attribute__((export_name(#name)))

/* What functions return instead of a length, a count or a handle. */
enum {
	SY_OK = 0,
	SY_NOT_FOUND = -1,
	SY_BAD_HANDLE = -2,
	SY_BAD_STATE = -3,
	SY_BAD_HEAD = -4,
	SY_BAD_ARG = -5,
	SY_LIMIT = -6,
	SY_FAILED = -7,
	SY_PENDING = -8,
	SY_TIMEOUT = -9,
	SY_GONE = -10,
	SY_BROKEN = -11,
	SY_OUT_OF_SCOPE = -12,
};

/* What to fetch. Pointers may be null where their length is 0. */
struct sy_fetch_block {
	int32_t binding; /* -1: plain fetch */
	uint32_t source;
	const void *head;
	uint32_t head_len;
	uint32_t body_kind;
	uintptr_t body; /* pointer, handle or stream */
	int32_t body_len;
	const char *name;
	uint32_t name_len;
	const char *options;
	uint32_t options_len;
	uint32_t redirect;
	uint32_t reserved[2];
};

SY_IMPORT(request_head) int32_t sy_request_head(uint32_t req, void *ptr, uint32_t cap);
SY_IMPORT(request_body) int32_t sy_request_body(uint32_t req);
SY_IMPORT(body_read) int32_t sy_body_read(uint32_t req, int32_t body, void *ptr, uint32_t cap);
SY_IMPORT(response_send) int32_t sy_response_send(uint32_t req, const void *head, uint32_t head_len, const void *body, uint32_t body_len);
SY_IMPORT(response_start) int32_t sy_response_start(uint32_t req, const void *head, uint32_t head_len);
SY_IMPORT(response_pass) int32_t sy_response_pass(uint32_t req, int32_t handle, const void *head, uint32_t head_len);
SY_IMPORT(throw) int32_t sy_throw(uint32_t req, const char *text, uint32_t len, uint32_t stack_len);
SY_IMPORT(stream_new) int32_t sy_stream_new(uint32_t req);
SY_IMPORT(stream_write) int32_t sy_stream_write(uint32_t req, int32_t stream, const void *ptr, uint32_t len);
SY_IMPORT(stream_end) int32_t sy_stream_end(uint32_t req, int32_t stream, uint32_t failed);
SY_IMPORT(fetch) int32_t sy_fetch(uint32_t req, const struct sy_fetch_block *block);
SY_IMPORT(wait) int32_t sy_wait(uint32_t req, const int32_t *ops, uint32_t count, int32_t timeout_ms);
SY_IMPORT(op_response) int32_t sy_op_response(uint32_t req, int32_t op);
SY_IMPORT(op_error) int32_t sy_op_error(uint32_t req, int32_t op, char *ptr, uint32_t cap);
SY_IMPORT(response_head) int32_t sy_response_head(uint32_t req, int32_t response, void *ptr, uint32_t cap);
SY_IMPORT(response_body) int32_t sy_response_body(uint32_t req, int32_t response);
SY_IMPORT(response_url) int32_t sy_response_url(uint32_t req, int32_t response, char *ptr, uint32_t cap);
SY_IMPORT(close) int32_t sy_close(uint32_t req, int32_t handle);
SY_IMPORT(env) int32_t sy_env(uint32_t req, const char *name, uint32_t name_len, char *ptr, uint32_t cap);
SY_IMPORT(binding) int32_t sy_binding(uint32_t req, const char *name, uint32_t name_len);
SY_IMPORT(log) int32_t sy_log(uint32_t req, uint32_t level, const char *ptr, uint32_t len);
SY_IMPORT(now) int64_t sy_now(uint32_t req);
SY_IMPORT(random) int32_t sy_random(uint32_t req, void *ptr, uint32_t len);

enum { SY_DEBUG, SY_INFO, SY_WARN, SY_ERROR };
enum { SY_SOURCE_HEAD, SY_SOURCE_EVENT };
enum { SY_BODY_NONE, SY_BODY_BYTES, SY_BODY_HANDLE, SY_BODY_STREAM };
enum { SY_REDIRECT_FOLLOW, SY_REDIRECT_ERROR, SY_REDIRECT_MANUAL };

/* A string with its length. */
struct sy_text {
	const char *ptr;
	uint32_t len;
};

#define SY_TEXT(literal) ((struct sy_text){literal, sizeof literal - 1})

/* A flat head that is read. */
struct sy_head {
	uint32_t first;  /* request: method length; response: status */
	uint32_t second; /* request: URL length */
	uint32_t count;  /* headers */
	uint32_t bytes;  /* of the headers */
	char data[];
};

static inline struct sy_text sy_method(const struct sy_head *h) {
	return (struct sy_text){h->data, h->first};
}

static inline struct sy_text sy_url(const struct sy_head *h) {
	return (struct sy_text){h->data + h->first, h->second};
}

/* The URL's path and query, from its first slash. */
static inline struct sy_text sy_path(const struct sy_head *h) {
	struct sy_text u = sy_url(h);
	uint32_t slashes = 0, at = 0;
	for (; at < u.len; at++)
		if (u.ptr[at] == '/' && ++slashes == 3)
			break;
	return (struct sy_text){u.ptr + at, u.len - at};
}

/* A flat head that is written: sy_begin_response or sy_begin_request, then sy_header. The
 * caller's buffer must be large enough. */
struct sy_writer {
	char *buf;
	uint32_t len;
};

static inline void sy_put32(char *at, uint32_t v) {
	__builtin_memcpy(at, &v, 4);
}

static inline uint32_t sy_get32(const char *at) {
	uint32_t v;
	__builtin_memcpy(&v, at, 4);
	return v;
}

static inline void sy_append(struct sy_writer *w, struct sy_text t) {
	for (uint32_t i = 0; i < t.len; i++)
		w->buf[w->len + i] = t.ptr[i];
	w->len += t.len;
}

static inline struct sy_writer sy_begin(char *buf, uint32_t first, uint32_t second) {
	sy_put32(buf, first);
	sy_put32(buf + 4, second);
	sy_put32(buf + 8, 0);
	sy_put32(buf + 12, 0);
	return (struct sy_writer){buf, 16};
}

static inline struct sy_writer sy_begin_response(char *buf, uint32_t status) {
	return sy_begin(buf, status, 0);
}

static inline struct sy_writer sy_begin_request(char *buf, struct sy_text method, struct sy_text url) {
	struct sy_writer w = sy_begin(buf, method.len, url.len);
	sy_append(&w, method);
	sy_append(&w, url);
	return w;
}

/* name is in lower case. */
static inline void sy_header(struct sy_writer *w, struct sy_text name, struct sy_text value) {
	char size[8];
	sy_put32(size, name.len);
	sy_put32(size + 4, value.len);
	sy_append(w, (struct sy_text){size, 8});
	sy_append(w, name);
	sy_append(w, value);
	sy_put32(w->buf + 8, sy_get32(w->buf + 8) + 1);
	sy_put32(w->buf + 12, sy_get32(w->buf + 12) + 8 + name.len + value.len);
}

#endif
