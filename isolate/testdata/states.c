/* A guest that takes handles and operations through their states and answers with what was not
 * as ABI.md says. guest/c/build.sh compiles it. */
#include "../guest/c/switchyard.h"

__attribute__((import_module("wasi_snapshot_preview1"), import_name("poll_oneoff")))
int32_t poll_oneoff(const void *in, void *out, uint32_t count, uint32_t *events);

static char head[16 << 10], out[512], buf[4096];
static char wrong[4096];
static struct sy_writer report = {wrong, 0};
static int32_t scope; /* what random said at module scope */

static void number(struct sy_writer *w, int32_t v) {
	char digits[12];
	uint32_t at = sizeof digits, n = v < 0 ? -(uint32_t)v : (uint32_t)v;
	do
		digits[--at] = '0' + n % 10;
	while (n /= 10);
	if (v < 0)
		digits[--at] = '-';
	sy_append(w, (struct sy_text){digits + at, sizeof digits - at});
}

static void is(int line, int32_t got, int32_t want) {
	if (got == want || report.len > sizeof wrong - 64)
		return;
	sy_append(&report, SY_TEXT("line "));
	number(&report, line);
	sy_append(&report, SY_TEXT(": "));
	number(&report, got);
	sy_append(&report, SY_TEXT("; "));
}

#define IS(got, want) is(__LINE__, got, want)

static int32_t start(uint32_t req, struct sy_text url) {
	struct sy_writer w = sy_begin_request(out, SY_TEXT("GET"), url);
	struct sy_fetch_block block = {.binding = -1, .head = w.buf, .head_len = w.len};
	return sy_fetch(req, &block);
}

#define ORIGIN(path) SY_TEXT("http://origin.example" path)

static void operations(uint32_t req) {
	int32_t ops[2] = {start(req, ORIGIN("/slow/1")), start(req, ORIGIN("/hang"))};
	IS(sy_wait(req, ops, 2, 0), SY_TIMEOUT);
	IS(sy_wait(req, ops, 2, 5), SY_TIMEOUT);
	IS(sy_op_response(req, ops[0]), SY_PENDING);
	IS(sy_op_error(req, ops[0], buf, sizeof buf), SY_PENDING);
	while (sy_wait(req, ops, 2, 0) == SY_TIMEOUT)
		sy_wait(req, 0, 0, 5);
	IS(sy_wait(req, ops, 2, -1), 0);
	IS(sy_op_error(req, ops[0], buf, sizeof buf), SY_BAD_STATE);
	int32_t response = sy_op_response(req, ops[0]);
	IS(response > 0, 1);
	IS(sy_op_response(req, ops[0]), SY_BAD_HANDLE);
	IS(sy_close(req, ops[1]), SY_OK);
	IS(sy_op_response(req, ops[1]), SY_BAD_HANDLE);
	IS(sy_close(req, ops[1]), SY_BAD_HANDLE);
	IS(sy_close(req, response), SY_OK);
	int32_t unwanted = start(req, ORIGIN("/one"));
	sy_wait(req, &unwanted, 1, -1);
	IS(sy_close(req, unwanted), SY_OK);
	int32_t lost = start(req, ORIGIN("/nowhere"));
	sy_wait(req, &lost, 1, -1);
	IS(sy_op_response(req, lost), SY_FAILED);
	IS(sy_op_error(req, lost, buf, 3), 14); /* no such origin: more room is needed */
	IS(sy_op_error(req, lost, buf, sizeof buf), 14);
	IS(sy_op_error(req, lost, buf, sizeof buf), SY_BAD_HANDLE);
}

static int32_t fetched(uint32_t req, struct sy_text url) {
	int32_t op = start(req, url);
	sy_wait(req, &op, 1, -1);
	return sy_op_response(req, op);
}

static void bodies(uint32_t req) {
	int32_t response = fetched(req, ORIGIN("/one")), body = sy_response_body(req, response);
	IS(body > 0, 1);
	IS(sy_response_body(req, response), body);
	IS(sy_body_read(req, body, buf, 0), SY_BAD_ARG);
	IS(sy_body_read(req, body, buf, 2), 2);
	IS(sy_body_read(req, body, buf, 2), 1);
	IS(sy_body_read(req, body, buf, 2), 0);
	IS(sy_response_url(req, response, buf, sizeof buf), 0);
	IS(sy_response_head(req, response, buf, 3) > 3, 1);
	IS(sy_close(req, body), SY_OK);
	IS(sy_close(req, body), SY_BAD_HANDLE);
	IS(sy_response_body(req, response), SY_BAD_STATE);
	IS(sy_response_pass(req, response, 0, 0), SY_BAD_HANDLE); /* its body is gone */
	IS(sy_close(req, response), SY_OK);
	IS(sy_response_body(req, response), SY_BAD_HANDLE);
	int32_t event = sy_request_body(req);
	IS(event > 0, 1);
	IS(sy_close(req, event), SY_OK);
	IS(sy_request_body(req), SY_BAD_STATE);
	struct sy_fetch_block again = {.binding = -1, .source = SY_SOURCE_EVENT};
	IS(sy_fetch(req, &again), SY_BAD_HANDLE);
}

static void streams(uint32_t req) {
	int32_t stream = sy_stream_new(req);
	struct sy_writer w = sy_begin_request(out, SY_TEXT("POST"), ORIGIN("/length"));
	struct sy_fetch_block block = {.binding = -1, .head = w.buf, .head_len = w.len, .body_kind = SY_BODY_STREAM, .body = stream, .body_len = -1};
	int32_t op = sy_fetch(req, &block);
	IS(op > 0, 1);
	IS(sy_fetch(req, &block), SY_BAD_HANDLE); /* it has a reader */
	IS(sy_stream_write(req, stream, buf, sizeof buf), sizeof buf);
	IS(sy_stream_end(req, stream, 1), SY_OK);
	IS(sy_stream_write(req, stream, buf, 1), SY_BAD_HANDLE);
	sy_wait(req, &op, 1, -1);
	IS(sy_op_response(req, op), SY_FAILED);
	IS(sy_close(req, sy_stream_new(req)), SY_OK);
}

static void refusals(uint32_t req) {
	struct sy_writer low = sy_begin_response(out, 199);
	IS(sy_response_send(req, low.buf, low.len, 0, 0), SY_BAD_HEAD);
	IS(sy_response_start(req, low.buf, low.len), SY_BAD_HEAD);
	IS(sy_response_send(req, head, 1 << 20, 0, 0), SY_BAD_HEAD);
	struct sy_writer capital = sy_begin_response(out, 200);
	sy_header(&capital, SY_TEXT("Connection"), SY_TEXT("close"));
	IS(sy_response_send(req, capital.buf, capital.len, 0, 0), SY_BAD_HEAD);
	struct sy_fetch_block block = {.binding = -1, .name = head, .name_len = 4096};
	IS(sy_fetch(req, &block), SY_BAD_ARG);
	IS(sy_throw(req, head, 80 << 10, 0), SY_BAD_ARG);
	IS(scope, SY_OUT_OF_SCOPE);
	IS(sy_random(req, buf, 16), SY_OK);
}

/* Two clocks, one absolute, of which only the earlier strikes; then one that is no clock. */
static void clocks(uint32_t req) {
	static struct {
		uint64_t data, type, clock, timeout, precision, flags;
	} in[3];
	static struct {
		uint64_t data;
		uint16_t error;
		uint8_t type, rest[21];
	} got[3];
	uint32_t n = 0;
	int64_t from = sy_now(req);
	in[0].data = 7, in[0].clock = 1, in[0].timeout = 20000000;
	in[1].data = 8, in[1].clock = 0, in[1].timeout = (from + 60000) * 1000000ull, in[1].flags = 1;
	IS(poll_oneoff(in, got, 2, &n), 0);
	IS(n, 1);
	IS(got[0].data, 7);
	IS(sy_now(req) - from >= 19, 1);
	in[2].data = 9, in[2].type = 1;
	IS(poll_oneoff(in, got, 3, &n), 0);
	IS(n, 1);
	IS(got[0].data, 9);
	IS(got[0].error, 8);
}

SY_EXPORT(_initialize) void initialize(void) { scope = sy_random(0, buf, 16); }

SY_EXPORT(handle) void handle(uint32_t req) {
	sy_request_head(req, head, sizeof head);
	struct sy_text path = sy_path((const void *)head);
	struct sy_writer h = sy_begin_response(out, 203);
	switch (path.ptr[1]) {
	case 'b': { /* an origin's body, bytes, under another head */
		int32_t response = fetched(req, ORIGIN("/one"));
		h = sy_begin_response(out, 203);
		sy_response_pass(req, response, h.buf, h.len);
		return;
	}
	case 's': { /* the same with a stream */
		int32_t response = fetched(req, ORIGIN("/big"));
		h = sy_begin_response(out, 203);
		sy_response_pass(req, response, h.buf, h.len);
		return;
	}
	case 'd': { /* a declared length */
		sy_header(&h, SY_TEXT("content-length"), SY_TEXT("2"));
		int32_t to = sy_response_start(req, h.buf, h.len);
		sy_stream_write(req, to, "ok", 2);
		sy_stream_end(req, to, 0);
		return;
	}
	case 'u': /* a response without an end */
		sy_stream_write(req, sy_response_start(req, h.buf, h.len), "ok", 2);
		return;
	case 't': /* an answer, and then a trap */
		sy_response_send(req, h.buf, h.len, "ok", 2);
		__builtin_trap();
	}
	operations(req);
	bodies(req);
	streams(req);
	refusals(req);
	clocks(req);
	h = sy_begin_response(out, 203);
	sy_response_send(req, h.buf, h.len, report.buf, report.len);
	sy_throw(req, "late", 4, 0);
}
