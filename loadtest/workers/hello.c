/* A tenant that answers with its stamp: who it is, from its env, and the sequence number that
 * it was asked for, the last 12 bytes of the URL. build.sh compiles it. */
#include "../../isolate/guest/c/switchyard.h"

static char request[16 << 10];
static char head[64];
static char body[128];

SY_EXPORT(handle) void handle(uint32_t req) {
	struct sy_writer text = {body, 0};
	int32_t n = sy_env(req, "WHO", 3, body, 64);
	if (n > 0 && n <= 64)
		text.len = n;
	if (sy_request_head(req, request, sizeof request) > 0) {
		struct sy_text url = sy_url((struct sy_head *)request);
		if (url.len >= 12)
			sy_append(&text, (struct sy_text){url.ptr + url.len - 12, 12});
	}
	sy_append(&text, SY_TEXT("\n"));
	struct sy_writer h = sy_begin_response(head, 200);
	sy_response_send(req, h.buf, h.len, text.buf, text.len);
}
