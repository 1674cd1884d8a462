/* One Worker that shows every part of the contract; build.sh compiles it. Each path is a story
 * that the tests of package isolate tell to every example alike. Without STREAMING it does not
 * import response_start, and then the host runs it on the goroutine of its caller. */
#include "switchyard.h"

static char head[160 << 10]; /* the request's */
static char out[8 << 10];    /* the head being written */
static char body[64 << 10];
static uint32_t count;

static int starts(struct sy_text t, struct sy_text with) {
	if (t.len < with.len)
		return 0;
	for (uint32_t i = 0; i < with.len; i++)
		if (t.ptr[i] != with.ptr[i])
			return 0;
	return 1;
}

static struct sy_text after(struct sy_text t, uint32_t n) {
	return (struct sy_text){t.ptr + n, t.len - n};
}

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

static struct sy_writer plain(uint32_t status) {
	struct sy_writer w = sy_begin_response(out, status);
	sy_header(&w, SY_TEXT("content-type"), SY_TEXT("text/plain"));
	return w;
}

static void answer(uint32_t req, uint32_t status, struct sy_text text) {
	struct sy_writer h = plain(status);
	sy_response_send(req, h.buf, h.len, text.ptr, text.len);
}

static void answer_writer(uint32_t req, struct sy_writer w) {
	answer(req, 200, (struct sy_text){w.buf, w.len});
}

static void throw(uint32_t req, struct sy_text text) {
	sy_throw(req, text.ptr, text.len, 0);
}

/* GET /hello */
static void hello(uint32_t req, struct sy_text path) {
	struct sy_writer w = {body, 0};
	sy_append(&w, SY_TEXT("Hello "));
	sy_append(&w, path);
	answer_writer(req, w);
}

/* GET /headers: every request header whose name starts with x- comes back. */
static void headers(uint32_t req) {
	const struct sy_head *h = (const void *)head;
	const char *at = h->data + h->first + h->second;
	struct sy_writer w = plain(200);
	for (uint32_t i = 0; i < h->count; i++) {
		struct sy_text name = {at + 8, sy_get32(at)};
		struct sy_text value = {name.ptr + name.len, sy_get32(at + 4)};
		if (starts(name, SY_TEXT("x-")))
			sy_header(&w, name, value);
		at = value.ptr + value.len;
	}
	sy_response_send(req, w.buf, w.len, 0, 0);
}

static int write_all(uint32_t req, int32_t stream, const char *p, uint32_t n) {
	while (n > 0) {
		int32_t took = sy_stream_write(req, stream, p, n);
		if (took < 0)
			return took;
		p += took, n -= took;
	}
	return 0;
}

#ifdef STREAMING

/* POST /echo: the body comes back while it is still arriving. */
static void echo(uint32_t req) {
	int32_t from = sy_request_body(req), n = 0;
	struct sy_writer h = plain(200);
	int32_t to = sy_response_start(req, h.buf, h.len);
	while (from > 0 && (n = sy_body_read(req, from, body, sizeof body)) > 0)
		if (write_all(req, to, body, n) < 0)
			return;
	sy_stream_end(req, to, n < 0);
}

/* GET /stream: three lines, some time apart. */
static void stream(uint32_t req) {
	struct sy_writer h = plain(200);
	int32_t to = sy_response_start(req, h.buf, h.len);
	for (int i = 0; i < 3; i++) {
		struct sy_writer w = {body, 0};
		sy_append(&w, SY_TEXT("line "));
		number(&w, i);
		sy_append(&w, SY_TEXT("\n"));
		if (write_all(req, to, w.buf, w.len) < 0)
			return;
		sy_wait(req, 0, 0, 10);
	}
	sy_stream_end(req, to, 0);
}

#else

static void echo(uint32_t req) { throw(req, SY_TEXT("Error: it does not stream")); }
static void stream(uint32_t req) { echo(req); }

#endif

/* POST /length */
static void length(uint32_t req) {
	int32_t from = sy_request_body(req), n = 0, sum = 0;
	while (from > 0 && (n = sy_body_read(req, from, body, sizeof body)) > 0)
		sum += n;
	struct sy_writer w = {body, 0};
	number(&w, n < 0 ? n : sum);
	answer_writer(req, w);
}

/* POST /mirror: the body comes back without being read. */
static void mirror(uint32_t req) {
	struct sy_writer h = plain(200);
	sy_response_pass(req, sy_request_body(req), h.buf, h.len);
}

/* GET /env/NAME */
static void env(uint32_t req, struct sy_text name) {
	int32_t n = sy_env(req, name.ptr, name.len, body, sizeof body);
	if (n < 0)
		answer(req, 404, SY_TEXT("not set"));
	else
		answer(req, 200, (struct sy_text){body, n});
}

static int32_t start(uint32_t req, struct sy_text url) {
	struct sy_writer w = sy_begin_request(out, SY_TEXT("GET"), url);
	struct sy_fetch_block block = {.binding = -1, .head = w.buf, .head_len = w.len};
	return sy_fetch(req, &block);
}

/* Reads the body of the response behind a completed operation into w. */
static int read_response(uint32_t req, int32_t op, struct sy_writer *w) {
	int32_t response = sy_op_response(req, op), n;
	if (response < 0)
		return response;
	int32_t from = sy_response_body(req, response);
	while (from > 0 && (n = sy_body_read(req, from, w->buf + w->len, sizeof body - w->len)) > 0)
		w->len += n;
	sy_close(req, response);
	return 0;
}

static void failed(uint32_t req, uint32_t status, int32_t op) {
	int32_t n = sy_op_error(req, op, body, sizeof body);
	answer(req, status, (struct sy_text){body, n < 0 ? 0 : n});
}

/* GET /fetch */
static void fetch_one(uint32_t req) {
	int32_t op = start(req, SY_TEXT("http://origin.example/one"));
	if (op < 0)
		return answer(req, 502, SY_TEXT("refused"));
	sy_wait(req, &op, 1, -1);
	struct sy_writer w = {body, 0};
	if (read_response(req, op, &w) < 0)
		return failed(req, 502, op);
	answer_writer(req, w);
}

/* GET /hang: the origin never answers. GET /hang/read: it answers, and then stalls. */
static void hang(uint32_t req, struct sy_text path) {
	int read = starts(path, SY_TEXT("/hang/read"));
	int32_t op = start(req, read ? SY_TEXT("http://origin.example/stall") : SY_TEXT("http://origin.example/hang"));
	sy_wait(req, &op, 1, -1);
	struct sy_writer w = {body, 0};
	read_response(req, op, &w);
	throw(req, SY_TEXT("Error: it did end"));
}

/* GET /parallel: three at once, shown in the order in which they were asked for. */
static void parallel(uint32_t req) {
	int32_t ops[3] = {
		start(req, SY_TEXT("http://origin.example/slow/1")),
		start(req, SY_TEXT("http://origin.example/slow/2")),
		start(req, SY_TEXT("http://origin.example/slow/3")),
	};
	struct sy_writer w = {body, 0};
	for (int i = 0; i < 3; i++) {
		sy_wait(req, &ops[i], 1, -1);
		if (read_response(req, ops[i], &w) < 0)
			return failed(req, 502, ops[i]);
	}
	answer_writer(req, w);
}

/* GET /pass: the origin's response, whose bytes never come here. */
static void pass(uint32_t req) {
	int32_t op = start(req, SY_TEXT("http://origin.example/big"));
	sy_wait(req, &op, 1, -1);
	int32_t response = sy_op_response(req, op);
	if (response < 0)
		return failed(req, 502, op);
	sy_response_pass(req, response, 0, 0);
}

/* POST /upload: a request whose body is written while it is sent. */
static void upload(uint32_t req) {
	struct sy_writer h = sy_begin_request(out, SY_TEXT("POST"), SY_TEXT("http://origin.example/length"));
	int32_t to = sy_stream_new(req);
	struct sy_fetch_block block = {.binding = -1, .head = h.buf, .head_len = h.len, .body_kind = SY_BODY_STREAM, .body = to, .body_len = -1};
	int32_t op = sy_fetch(req, &block), from = sy_request_body(req), n;
	while (from > 0 && (n = sy_body_read(req, from, body, sizeof body)) > 0)
		if (write_all(req, to, body, n) < 0)
			break;
	sy_stream_end(req, to, 0);
	sy_wait(req, &op, 1, -1);
	struct sy_writer w = {body, 0};
	if (read_response(req, op, &w) < 0)
		return failed(req, 502, op);
	answer_writer(req, w);
}

/* GET /dispatch/NAME: the request goes on to that user Worker. */
static void dispatch(uint32_t req, struct sy_text name) {
	struct sy_fetch_block block = {
		.binding = sy_binding(req, "DISPATCHER", 10),
		.source = SY_SOURCE_EVENT,
		.name = name.ptr,
		.name_len = name.len,
	};
	int32_t op = sy_fetch(req, &block);
	if (op < 0)
		return answer(req, 502, SY_TEXT("refused"));
	sy_wait(req, &op, 1, -1);
	int32_t response = sy_op_response(req, op);
	if (response < 0)
		return failed(req, 404, op);
	sy_response_pass(req, response, 0, 0);
}

/* GET /sleep: the clock moves while the Worker waits. */
static void sleep(uint32_t req) {
	int64_t from = sy_now(req);
	sy_wait(req, 0, 0, 30);
	answer(req, 200, sy_now(req) - from >= 29 ? SY_TEXT("slept") : SY_TEXT("the clock stands"));
}

/* GET /grow: takes memory until there is no more, and lives. */
static void grow(uint32_t req) {
	while (__builtin_wasm_memory_grow(0, 1) != (size_t)-1)
		;
	struct sy_writer w = {body, 0};
	number(&w, __builtin_wasm_memory_size(0));
	answer_writer(req, w);
}

/* GET /codes: what the host says to nonsense. */
static void codes(uint32_t req) {
	struct sy_fetch_block odd = {.binding = -2};
	struct sy_fetch_block headless = {.binding = -1};
	int32_t ghost = 77, ghost_op = 1 << 20;
	int32_t got[] = {
		sy_body_read(req, ghost, body, 1),
		sy_stream_write(req, ghost, body, 1),
		sy_stream_end(req, ghost, 0),
		sy_fetch(req, &odd),
		sy_fetch(req, &headless),
		sy_wait(req, &ghost_op, 1, 0),
		sy_wait(req, 0, 0, 0),
		sy_wait(req, 0, 0, -1),
		sy_op_response(req, ghost_op),
		sy_op_error(req, ghost_op, body, 1),
		sy_response_head(req, ghost, body, 1),
		sy_response_body(req, ghost),
		sy_response_url(req, ghost, body, 1),
		sy_response_pass(req, ghost, 0, 0),
		sy_response_send(req, body, 3, 0, 0),
		sy_close(req, ghost),
		sy_env(req, "NONE", 4, body, 1),
		sy_binding(req, "NONE", 4),
		sy_log(req, 9, body, 1),
		sy_random(req, body, sizeof head),
		sy_request_body(0),
	};
	static char text[256];
	struct sy_writer w = {text, 0};
	for (uint32_t i = 0; i < sizeof got / sizeof *got; i++) {
		if (i > 0)
			sy_append(&w, SY_TEXT(" "));
		number(&w, got[i]);
	}
	answer_writer(req, w);
}

/* GET /twice: the second answer is refused. */
static void twice(uint32_t req) {
	answer(req, 200, SY_TEXT("first"));
	struct sy_writer h = plain(500);
	if (sy_response_send(req, h.buf, h.len, 0, 0) != SY_BAD_STATE)
		__builtin_trap();
}

static volatile uint32_t sink;

static uint32_t recurse(uint32_t n) {
	return n == UINT32_MAX ? 0 : recurse(n + 1) * n + sink;
}

/* GET /random */
static void random(uint32_t req) {
	unsigned char bytes[8];
	sy_random(req, bytes, sizeof bytes);
	struct sy_writer w = {body, 0};
	for (uint32_t i = 0; i < sizeof bytes; i++) {
		number(&w, bytes[i]);
		sy_append(&w, SY_TEXT(" "));
	}
	answer_writer(req, w);
}

static void counted(uint32_t req) {
	struct sy_writer w = {body, 0};
	number(&w, (int32_t)++count);
	answer_writer(req, w);
}

static void route(uint32_t req, struct sy_text path) {
	struct sy_text env_path = SY_TEXT("/env/"), dispatch_path = SY_TEXT("/dispatch/");
	if (starts(path, SY_TEXT("/headers")))
		headers(req);
	else if (starts(path, SY_TEXT("/echo")))
		echo(req);
	else if (starts(path, SY_TEXT("/length")))
		length(req);
	else if (starts(path, SY_TEXT("/mirror")))
		mirror(req);
	else if (starts(path, SY_TEXT("/stream")))
		stream(req);
	else if (starts(path, env_path))
		env(req, after(path, env_path.len));
	else if (starts(path, SY_TEXT("/fetch")))
		fetch_one(req);
	else if (starts(path, SY_TEXT("/hang")))
		hang(req, path);
	else if (starts(path, SY_TEXT("/parallel")))
		parallel(req);
	else if (starts(path, SY_TEXT("/pass")))
		pass(req);
	else if (starts(path, SY_TEXT("/upload")))
		upload(req);
	else if (starts(path, dispatch_path))
		dispatch(req, after(path, dispatch_path.len));
	else if (starts(path, SY_TEXT("/sleep")))
		sleep(req);
	else if (starts(path, SY_TEXT("/grow")))
		grow(req);
	else if (starts(path, SY_TEXT("/codes")))
		codes(req);
	else if (starts(path, SY_TEXT("/twice")))
		twice(req);
	else if (starts(path, SY_TEXT("/random")))
		random(req);
	else if (starts(path, SY_TEXT("/count")))
		counted(req);
	else if (starts(path, SY_TEXT("/log")))
		sy_log(req, SY_WARN, "noted", 5), answer(req, 200, SY_TEXT("logged"));
	else if (starts(path, SY_TEXT("/throw")))
		throw(req, SY_TEXT("Error: on purpose"));
	else if (starts(path, SY_TEXT("/trap")))
		__builtin_trap();
	else if (starts(path, SY_TEXT("/silent")))
		;
	else if (starts(path, SY_TEXT("/spin")))
		for (;;)
			sink++;
	else if (starts(path, SY_TEXT("/recurse")))
		sink = recurse(0);
	else
		hello(req, path);
}

SY_EXPORT(handle) void handle(uint32_t req) {
	if (sy_request_head(req, head, sizeof head) > (int32_t)sizeof head)
		return throw(req, SY_TEXT("Error: the request's head is too large"));
	route(req, sy_path((const void *)head));
}
