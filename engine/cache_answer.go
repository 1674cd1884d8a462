package engine

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// cacheStatus is an answer that says only whether something was found.
func cacheStatus(found bool) *isolate.Response {
	status := "MISS"
	if found {
		status = "HIT"
	}
	head := abi.AppendHeader(abi.AppendResponseHead(nil, 200), 0, "cf-cache-status", status)
	return &isolate.Response{Head: abi.ResponseHead(head)}
}

// answer is the response to a request with these headers: the whole one, a range of it, or that it has not changed.
func (c *cached) answer(request headerBlock, now time.Time) *isolate.Response {
	if c.unchanged(request) {
		return c.response(304, now, nil)
	}
	wanted := string(request.Get("range"))
	if wanted == "" || c.status != 200 {
		return c.response(c.status, now, c.body)
	}
	first, end, ok := byteRange(wanted, len(c.body))
	switch {
	case !ok:
		return c.response(c.status, now, c.body)
	case first >= end:
		return c.response(416, now, nil, header{"content-range", fmt.Sprintf("bytes */%d", len(c.body))})
	}
	return c.response(206, now, c.body[first:end], header{"content-range", fmt.Sprintf("bytes %d-%d/%d", first, end-1, len(c.body))})
}

// response shares the body: nobody writes to it.
func (c *cached) response(status int, now time.Time, body []byte, more ...header) *isolate.Response {
	head := abi.AppendResponseHead(nil, status)
	for _, h := range c.headers {
		head = abi.AppendHeader(head, 0, h.name, h.value)
	}
	for _, h := range more {
		head = abi.AppendHeader(head, 0, h.name, h.value)
	}
	head = abi.AppendHeader(head, 0, "age", strconv.Itoa(int(now.Sub(c.stored)/time.Second)))
	head = abi.AppendHeader(head, 0, "cf-cache-status", "HIT")
	return &isolate.Response{Head: abi.ResponseHead(head), Body: isolate.Body{Bytes: body[:len(body):len(body)]}, URL: c.key.url}
}

// unchanged says that who asks has it already (RFC 9110, 13.1.2 and 13.1.3).
func (c *cached) unchanged(request headerBlock) bool {
	if tags := values(request, "if-none-match"); tags != "" {
		return matchesTag(tags, c.header("etag"))
	}
	since, err := http.ParseTime(string(request.Get("if-modified-since")))
	if err != nil {
		return false
	}
	modified, err := http.ParseTime(c.header("last-modified"))
	return err == nil && !modified.After(since)
}

func (c *cached) header(name string) string {
	for _, h := range c.headers {
		if h.name == name {
			return h.value
		}
	}
	return ""
}

// matchesTag compares weakly.
func matchesTag(tags, tag string) bool {
	for _, t := range splitQuoted(tags) {
		t = strings.TrimSpace(t)
		if tag != "" && (t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/")) {
			return true
		}
	}
	return false
}

// byteRange reads a Range header of one range over n bytes: first to end, empty when nothing of it is there. Not ok:
// it is another kind of range, which is ignored (RFC 9110, 14.2).
func byteRange(value string, n int) (first, end int, ok bool) {
	spec, isBytes := strings.CutPrefix(value, "bytes=")
	from, to, isRange := strings.Cut(strings.TrimSpace(spec), "-")
	if !isBytes || !isRange {
		return 0, 0, false
	}
	if from == "" { // the last bytes
		last, err := strconv.ParseUint(to, 10, 32)
		return n - min(n, int(last)), n, err == nil
	}
	a, err := strconv.ParseUint(from, 10, 62)
	if err != nil {
		return 0, 0, false
	}
	b := uint64(n) - 1
	if to != "" {
		if b, err = strconv.ParseUint(to, 10, 62); err != nil || b < a {
			return 0, 0, false
		}
	}
	if n == 0 || a >= uint64(n) {
		return 0, 0, true
	}
	return int(a), int(min(b, uint64(n)-1)) + 1, true
}
