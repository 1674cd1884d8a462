/* The smallest Worker: two crossings for a request. */
#include "switchyard.h"

static char head[64];
static uint32_t head_len;

SY_EXPORT(_initialize) void initialize(void) {
	struct sy_writer w = sy_begin_response(head, 200);
	sy_header(&w, SY_TEXT("content-type"), SY_TEXT("text/plain"));
	head_len = w.len;
}

SY_EXPORT(handle) void handle(uint32_t req) {
	sy_response_send(req, head, head_len, "Hello", 5);
}
