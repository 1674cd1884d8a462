/* The tenants' Worker in wasm: the same paths as workerSource in worker_test.go, with the mark
 * of its upload in env. build.sh compiles it. */
#include "../../isolate/guest/c/switchyard.h"

static char head[32 << 10], out[8 << 10], body[128 << 10];
static char trail[1024]; /* every request's canary, quoted, the last ones */
static uint32_t trail_len, hits;
static char stains[2][64]; /* in bss and, below, wherever the stack is */
static uint32_t stain_len;

static int is(struct sy_text t, const char *word) {
	uint32_t i = 0;
	while (i < t.len && word[i] && t.ptr[i] == word[i])
		i++;
	return i == t.len && !word[i];
}

static struct sy_text until(struct sy_text *t, char end) {
	struct sy_text r = {t->ptr, 0};
	while (r.len < t->len && t->ptr[r.len] != end)
		r.len++;
	uint32_t skip = r.len < t->len ? r.len + 1 : r.len;
	*t = (struct sy_text){t->ptr + skip, t->len - skip};
	return r;
}

static void number(struct sy_writer *w, uint32_t v) {
	char digits[10];
	uint32_t at = sizeof digits;
	do
		digits[--at] = '0' + v % 10;
	while (v /= 10);
	sy_append(w, (struct sy_text){digits + at, sizeof digits - at});
}

static void env(uint32_t req, struct sy_writer *w, struct sy_text name) {
	char value[64];
	int32_t n = sy_env(req, name.ptr, name.len, value, sizeof value);
	if (n > 0)
		sy_append(w, (struct sy_text){value, n});
}

static struct sy_writer ok(uint32_t req) {
	char mark[64];
	int32_t n = sy_env(req, "PLAIN", 5, mark, sizeof mark);
	struct sy_writer h = sy_begin_response(out, 200);
	sy_header(&h, SY_TEXT("x-mark"), (struct sy_text){mark, n < 0 ? 0 : n});
	return h;
}

static void answer(uint32_t req, struct sy_text t) {
	struct sy_writer h = ok(req);
	sy_response_send(req, h.buf, h.len, t.ptr, t.len);
}

static void stain(struct sy_text c) {
	hits++;
	if (trail_len + c.len + 3 > sizeof trail)
		trail_len = 0;
	struct sy_writer w = {trail, trail_len};
	sy_append(&w, trail_len ? SY_TEXT(",\"") : SY_TEXT("\""));
	sy_append(&w, c);
	sy_append(&w, SY_TEXT("\""));
	trail_len = w.len;
	stain_len = c.len;
	for (int s = 0; s < 2; s++)
		for (uint32_t i = 0; i < c.len; i++)
			stains[s][i] = c.ptr[i];
}

static void report(uint32_t req, struct sy_text c) {
	struct sy_writer w = {body, 0};
	sy_append(&w, SY_TEXT("{\"mark\":\""));
	env(req, &w, SY_TEXT("PLAIN"));
	sy_append(&w, SY_TEXT("\",\"hits\":"));
	number(&w, hits);
	sy_append(&w, SY_TEXT(",\"seen\":["));
	sy_append(&w, (struct sy_text){trail, trail_len});
	sy_append(&w, SY_TEXT("],\"stains\":[\""));
	sy_append(&w, (struct sy_text){stains[0], stain_len});
	sy_append(&w, SY_TEXT("\",\""));
	sy_append(&w, (struct sy_text){stains[1], stain_len});
	sy_append(&w, SY_TEXT("\"],\"env\":{\"PLAIN\":\""));
	env(req, &w, SY_TEXT("PLAIN"));
	sy_append(&w, SY_TEXT("\",\"SECRET\":\""));
	env(req, &w, SY_TEXT("SECRET"));
	sy_append(&w, SY_TEXT("\",\"stain\":\""));
	sy_append(&w, c);
	sy_append(&w, SY_TEXT("\"}}"));
	answer(req, (struct sy_text){w.buf, w.len});
}

static void repeat(struct sy_writer *w, struct sy_text c, uint32_t n) {
	while (n-- > 0 && w->len + c.len < sizeof body)
		sy_append(w, c);
}

/* Fetches a URL, and waits for the answer's head. */
static int32_t fetched(uint32_t req, struct sy_text url, struct sy_text c) {
	char target[256], block_head[512];
	struct sy_writer u = {target, 0};
	sy_append(&u, url);
	sy_append(&u, c);
	struct sy_writer w = sy_begin_request(block_head, SY_TEXT("GET"), (struct sy_text){target, u.len});
	struct sy_fetch_block block = {.binding = -1, .head = w.buf, .head_len = w.len};
	int32_t op = sy_fetch(req, &block);
	if (op < 0)
		return op;
	sy_wait(req, &op, 1, -1);
	return sy_op_response(req, op);
}

static void read_and_answer(uint32_t req, int32_t from) {
	struct sy_writer w = {body, 0};
	int32_t n;
	while (from > 0 && (n = sy_body_read(req, from, body + w.len, sizeof body - w.len)) > 0)
		w.len += n;
	answer(req, (struct sy_text){body, w.len});
}

static void pass(uint32_t req, int32_t from) {
	struct sy_writer h = ok(req);
	sy_response_pass(req, from, h.buf, h.len);
}

static void stream(uint32_t req, struct sy_text c, uint32_t n) {
	struct sy_writer w = {body, 0}, h = ok(req);
	repeat(&w, c, 32);
	int32_t to = sy_response_start(req, h.buf, h.len);
	while (n-- > 0)
		for (uint32_t at = 0; at < w.len;) {
			int32_t took = sy_stream_write(req, to, body + at, w.len - at);
			if (took < 0)
				return;
			at += took;
		}
	sy_stream_end(req, to, 0);
}

static volatile uint32_t sink;

static __attribute__((noinline)) uint32_t deep(uint32_t n) {
	sink = n;
	return deep(n + 1) + sink;
}

static void grow(void) {
	while (__builtin_wasm_memory_grow(0, 16) != (size_t)-1)
		;
}

SY_EXPORT(handle) void handle(uint32_t req) {
	sy_request_head(req, head, sizeof head);
	struct sy_text rest = sy_path((const void *)head);
	until(&rest, '/');
	struct sy_text path = until(&rest, '?');
	until(&rest, '=');
	struct sy_text c = until(&rest, '&');
	until(&rest, '=');
	uint32_t n = 0;
	for (uint32_t i = 0; i < rest.len; i++)
		n = n * 10 + rest.ptr[i] - '0';
	stain(c);
	struct sy_writer w = {body, 0};
	if (is(path, "report") || is(path, "later")) {
		report(req, c);
	} else if (is(path, "big")) {
		repeat(&w, c, n);
		answer(req, (struct sy_text){w.buf, w.len});
	} else if (is(path, "head")) {
		struct sy_writer h = ok(req);
		sy_header(&h, SY_TEXT("x-canary"), c);
		sy_response_send(req, h.buf, h.len, "x", 1);
	} else if (is(path, "echo")) {
		pass(req, sy_request_body(req));
	} else if (is(path, "text")) {
		read_and_answer(req, sy_request_body(req));
	} else if (is(path, "fetch")) {
		read_and_answer(req, sy_response_body(req, fetched(req, SY_TEXT("http://origin.test/"), c)));
	} else if (is(path, "pass")) {
		pass(req, sy_response_body(req, fetched(req, SY_TEXT("http://origin.test/big/"), c)));
	} else if (is(path, "hang")) {
		fetched(req, SY_TEXT("http://hang.test/"), c);
		sy_throw(req, "context deadline exceeded", 25, 0);
	} else if (is(path, "stream")) {
		stream(req, c, n);
	} else if (is(path, "log")) {
		sy_log(req, SY_INFO, c.ptr, c.len);
		answer(req, SY_TEXT("logged"));
	} else if (is(path, "spin") || is(path, "async")) {
		for (;;)
			sink++;
	} else if (is(path, "recurse")) {
		deep(0);
	} else if (is(path, "memory")) {
		grow();
		sy_throw(req, c.ptr, c.len, 0);
	} else if (is(path, "throw") || is(path, "reject")) {
		sy_throw(req, c.ptr, c.len, 0);
	}
}
