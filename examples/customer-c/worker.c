/* A customer that writes C: a greeting from its env, and the path it was asked for. Build it by
 * build.sh; the result is committed, so that the demo needs no C compiler. */
#include "../../isolate/guest/c/switchyard.h"

static char request[160 << 10];
static char head[256];
static char body[16 << 10];

SY_EXPORT(handle) void handle(uint32_t req) {
	struct sy_writer text = {body, 0};
	int32_t n = sy_env(req, "GREETING", 8, body, 1024);
	if (n > 0 && n <= 1024)
		text.len = n;
	sy_append(&text, SY_TEXT(": "));
	if (sy_request_head(req, request, sizeof request) > 0) {
		struct sy_text path = sy_path((struct sy_head *)request);
		if (path.len < sizeof body / 2)
			sy_append(&text, path);
	}
	sy_append(&text, SY_TEXT("\n"));

	struct sy_writer h = sy_begin_response(head, 200);
	sy_header(&h, SY_TEXT("content-type"), SY_TEXT("text/plain"));
	sy_response_send(req, h.buf, h.len, text.buf, text.len);
}
