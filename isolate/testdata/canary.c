/* A guest that hides a secret wherever it can write, and one that looks for it. guest/c/build.sh
 * compiles it. What /take hides is its client's, the rest it makes itself. */
#include "../guest/c/switchyard.h"

__attribute__((import_module("wasi_snapshot_preview1"), import_name("random_get")))
int32_t random_get(void *ptr, uint32_t len);

static char head[16 << 10];
static char secret[4096];
static char seeded[16];

/* The secret is made when it is needed, so that neither code nor image holds it. */
static uint32_t piece(uint32_t i) {
	volatile uint32_t k = 0x5ec2e700;
	return (k ^ 0xa5a5a5a5) + i * 0x9e3779b9;
}

static void hide(char *at) {
	for (uint32_t i = 0; i < 4; i++)
		sy_put32(at + 4 * i, piece(i));
}

static int hidden(const char *at) {
	for (uint32_t i = 0; i < 4; i++)
		if (sy_get32(at + 4 * i) != piece(i))
			return 0;
	return 1;
}

static uint32_t end(void) { return __builtin_wasm_memory_size(0) << 16; }

static void answer(uint32_t req, uint32_t number) {
	static char out[64];
	char text[1] = {'0' + (number > 9 ? 9 : number)};
	struct sy_writer w = sy_begin_response(out, 200);
	sy_response_send(req, w.buf, w.len, text, 1);
}

/* Data, stack, fresh memory. */
static void plant(uint32_t req) {
	volatile char on_stack[16];
	hide((char *)on_stack);
	hide(secret);
	uint32_t at = end();
	__builtin_wasm_memory_grow(0, 2);
	hide((char *)at + 70000);
	answer(req, 3);
}

/* Memory that it never asked for: the rewriter leaves the reservation behind the size in reach. */
static void plant_beyond(uint32_t req) {
	hide((char *)end() + 128);
	answer(req, 1);
}

static void search(uint32_t req) {
	uint32_t found = 0;
	while (__builtin_wasm_memory_grow(0, 1) != (size_t)-1)
		;
	for (const char *at = (const char *)16; at < (const char *)end() - 16; at += 4)
		found += hidden(at);
	answer(req, found);
}

static char taken[64];
static __externref_t refs[0];

static void wait_for_origin(uint32_t req) {
	static char out[64];
	struct sy_writer w = sy_begin_request(out, SY_TEXT("GET"), SY_TEXT("http://o.test/hang"));
	struct sy_fetch_block block = {.binding = -1, .head = w.buf, .head_len = w.len};
	int32_t op = sy_fetch(req, &block);
	sy_wait(req, &op, 1, -1);
}

/* What its client sent goes to data, stack and fresh memory, and the call ends in one of the ways
 * that there are. The answer is how many references another call left in the table. */
static void take(uint32_t req, char end_of_call) {
	volatile char on_stack[sizeof taken];
	uint32_t left = __builtin_wasm_table_size(refs);
	if (end_of_call == 'l') /* late: all of it after a wait */
		wait_for_origin(req);
	sy_body_read(req, sy_request_body(req), taken, sizeof taken);
	char *fresh = (char *)end();
	__builtin_wasm_memory_grow(0, 1);
	for (uint32_t i = 0; i < sizeof taken; i++)
		on_stack[i] = fresh[i] = taken[i];
	switch (end_of_call) {
	case 'g': /* table.grow */
		__builtin_wasm_table_grow(refs, __builtin_wasm_ref_null_extern(), 3);
		break;
	case 's': /* spin */
		for (volatile uint32_t i = 0;; i++)
			;
	case 't':
		__builtin_trap();
	case 'b': /* breach */
		sy_log(req, SY_INFO, (const char *)0xffffff00, 1 << 16);
		break;
	case 'w':
		wait_for_origin(req);
	}
	answer(req, left);
}

SY_EXPORT(switchyard_reseed) void reseed(void) { random_get(seeded, sizeof seeded); }

SY_EXPORT(handle) void handle(uint32_t req) {
	sy_request_head(req, head, sizeof head);
	struct sy_text path = sy_path((const void *)head);
	switch (path.len > 1 ? path.ptr[1] : 0) {
	case 'p':
		return plant(req);
	case 'b':
		return plant_beyond(req);
	case 's':
		return search(req);
	case 't': /* take/END */
		return take(req, path.len > 6 ? path.ptr[6] : 0);
	case 'r': /* what reseed made, and the next bytes */
		random_get(taken, sizeof seeded);
		answer(req, 0);
		sy_log(req, SY_INFO, seeded, sizeof seeded);
		sy_log(req, SY_INFO, taken, sizeof seeded);
		return;
	}
}
