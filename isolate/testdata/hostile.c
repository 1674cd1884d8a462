/* A guest that never ends, or makes the host work for long, by the first letter of its path.
 * guest/c/build.sh compiles it. */
#include "../guest/c/switchyard.h"

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
WASI(random_get) int32_t random_get(void *ptr, uint32_t len);

#define PAGES 1900u /* of 64 KiB: near what a guest may have */
#define HALF (PAGES / 2 * 65536u)

static _Alignas(4) char head[16 << 10], out[512];
static volatile uint32_t sink;
static __externref_t table[0];

WASI(fd_write) int32_t fd_write(uint32_t fd, const uint32_t *vectors, uint32_t count, uint32_t *n);

/* the same count times */
static void print(char *at, uint32_t len, uint32_t count) {
	uint32_t n, one[2] = {(uint32_t)at, len}, *vectors = count == 1 ? one : (uint32_t *)at;
	for (uint32_t i = 0; count > 1 && i < count; i++)
		vectors[2 * i] = one[0], vectors[2 * i + 1] = one[1];
	fd_write(1, vectors, count, &n);
}

static char *grown(void) {
	uint32_t have = __builtin_wasm_memory_size(0);
	if (have < PAGES)
		__builtin_wasm_memory_grow(0, PAGES - have);
	return (char *)(4u << 20);
}

__attribute__((noinline)) static uint32_t deeper(uint32_t n) { return n > 20000 ? n : deeper(n + 1) + sink; }

static uint32_t add(uint32_t n) { return n + 1; }
static uint32_t twice(uint32_t n) { return n * 2; }
static uint32_t (*const functions[])(uint32_t) = {add, twice};

static void touch(char *at, uint32_t step) {
	for (uint32_t i = 0;; i = (i + step) % HALF)
		at[i]++;
}

static void respond(uint32_t req, char *body, uint32_t n) {
	struct sy_writer w = sy_begin_response(out, 200);
	sy_response_send(req, w.buf, w.len, body, n);
}

__attribute__((export_name("handle"))) void handle(uint32_t req) {
	sy_request_head(req, head, sizeof head);
	char *big = grown();
	double x = 1;
	switch (sy_path((const struct sy_head *)head).ptr[1]) {
	case 'a': for (;;) sink++;
	case 'b': for (;;) deeper(0);
	case 'c': for (;;) sink = functions[sink & 1](sink);
	case 'd': for (uint32_t i = 1;; i++) sink = 0x7fffffff / (i | 1) + 0x7fffffffffff % (uint64_t)(i | 1);
	case 'e': for (;;) x = __builtin_sqrt(x) / 1.1, sink = (uint32_t)x;
	case 'f': for (;;) __builtin_memset(big, 1, HALF);
	case 'g': for (;;) __builtin_memmove(big + 1, big, HALF);
	case 'h': touch(big, 4096);
	case 'i': touch(big, 64);
	case 'j': for (;;) __builtin_wasm_memory_grow(0, 0);
	case 'k': for (;;) sink = (uint32_t)sy_now(req);
	case 'l': for (;;) sy_random(req, big, 65536);
	case 'm': for (;;) random_get(big, HALF);
	case 'n': for (;;) sy_log(req, 1, big, HALF);
	case 'o': for (;;) sink = sy_env(req, "GREETING", 8, big, HALF);
	case 'p': for (;;) sy_request_head(req, head, sizeof head);
	case 'q': respond(req, big, HALF); break;
	case 'r': for (;;) sy_stream_write(req, sy_stream_new(req), big, HALF);
	case 'u':
		__builtin_memset(big, '\n', HALF);
		print(big, HALF, 1);
		break;
	case 'v': print(big, 1, HALF / 8); break;
	case 's': for (;;) __builtin_wasm_table_grow(table, __builtin_wasm_ref_null_extern(), 1000);
	case 't':
		__builtin_wasm_table_grow(table, __builtin_wasm_ref_null_extern(), 60000);
		for (;;)
			__builtin_wasm_table_fill(table, 0, __builtin_wasm_ref_null_extern(), __builtin_wasm_table_size(table));
	}
}
