package engine

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"sync"

	"switchyard/engine/site"
	"switchyard/engine/store"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// revalidate is the Cache-Control of an asset, unless its version's rules have another.
const revalidate = "public, max-age=0, must-revalidate"

// respond makes the response to a request with these headers.
func (a *assets) respond(s *versionSite, q *site.Request, answer site.Answer, request abi.HeaderBlock) (*isolate.Response, error) {
	if answer.File >= 0 {
		return a.respondFile(s, q, answer, request)
	}
	resp := acquireAssetResponse()
	head := abi.AppendResponseHead(resp.Head[:0], answer.Status)
	switch {
	case answer.Location != "":
		head = abi.AppendHeader(head, 0, "location", answer.Location)
	case answer.Status == 405:
		head = abi.AppendHeader(head, 0, "allow", "GET, HEAD")
	}
	resp.Head = s.ruled(q, head)
	return resp, nil
}

func (a *assets) respondFile(s *versionSite, q *site.Request, answer site.Answer, request abi.HeaderBlock) (*isolate.Response, error) {
	file := s.manifest.Asset(answer.File)
	r := assetReply{status: answer.Status, end: file.Size, kept: true}
	r.tag = entityTag(&file)
	r.condition(q, request, file.Size)
	var body isolate.Body
	var err error
	if r.status != 304 && q.Method != "HEAD" {
		if body, r.kept, err = a.body(s.owner, &file, r.first, r.end); err != nil {
			return nil, err
		}
	}
	resp := acquireAssetResponse()
	resp.Head = s.ruled(q, r.head(resp.Head[:0], &file, q, request))
	resp.Body = body
	return resp, nil
}

// assetReply is what of a file is sent.
type assetReply struct {
	status     int
	tag        [2 + 2*len(store.Tag{})]byte
	first, end int64  // of the file's bytes
	ranged     string // Content-Range
	kept       bool   // it was in memory
}

// entityTag is the ETag of a file.
func entityTag(file *store.Asset) (tag [2 + 2*len(store.Tag{})]byte) {
	tag[0], tag[len(tag)-1] = '"', '"'
	hex.Encode(tag[1:], file.Tag[:])
	return tag
}

// condition looks at the headers that ask for less than the file (RFC 9110, 13 and 14).
func (r *assetReply) condition(q *site.Request, request abi.HeaderBlock, size int64) {
	if tags := values(request, "if-none-match"); tags != "" && matchesTag(tags, string(r.tag[:])) {
		r.status, r.end = 304, 0
		return
	}
	wanted := string(request.Get("range"))
	if wanted == "" || r.status != 200 || q.Method != "GET" {
		return
	}
	if unless := request.Get("if-range"); unless != nil && string(unless) != string(r.tag[:]) {
		return
	}
	first, end, ok := byteRange(wanted, int(size))
	switch {
	case !ok:
	case first >= end:
		r.status, r.end, r.ranged = 416, 0, fmt.Sprintf("bytes */%d", size)
	default:
		r.status, r.first, r.end = 206, int64(first), int64(end)
		r.ranged = fmt.Sprintf("bytes %d-%d/%d", first, end-1, size)
	}
}

func (r *assetReply) head(head []byte, file *store.Asset, q *site.Request, request abi.HeaderBlock) []byte {
	head = abi.AppendResponseHead(head, r.status)
	head = abi.AppendHeader(head, 0, "etag", r.tag[:])
	if file.Type != "" {
		head = abi.AppendHeader(head, 0, "content-type", file.Type)
	}
	if request.Get("authorization") == nil && request.Get("range") == nil {
		head = abi.AppendHeader(head, 0, "cache-control", revalidate)
	}
	if r.ranged != "" {
		head = abi.AppendHeader(head, 0, "content-range", r.ranged)
	}
	status := "MISS"
	if r.kept {
		status = "HIT"
	}
	head = abi.AppendHeader(head, 0, "cf-cache-status", status)
	if q.Method == "HEAD" && r.status != 304 {
		head = abi.AppendHeader(head, 0, "content-length", strconv.FormatInt(file.Size, 10))
	}
	return head
}

// ruled lays the version's rules for headers over a head.
func (s *versionSite) ruled(q *site.Request, head []byte) abi.ResponseHead {
	if !s.config.HasHeaders() {
		return abi.ResponseHead(head)
	}
	var headers []site.Header
	for rest := abi.ResponseHead(head).Headers(); len(rest) > 0; {
		var name, value []byte
		name, value, rest = rest.Next()
		headers = append(headers, site.Header{Name: string(name), Value: string(value)})
	}
	headers = s.config.Headers(q, headers)
	head = abi.AppendResponseHead(head[:0], abi.ResponseHead(head).Status())
	for _, h := range headers {
		head = abi.AppendHeader(head, 0, h.Name, h.Value)
	}
	return abi.ResponseHead(head)
}

// assetResponses keeps responses with the buffers of their heads.
var assetResponses = sync.Pool{New: func() any { return new(isolate.Response) }}

func acquireAssetResponse() *isolate.Response {
	resp := assetResponses.Get().(*isolate.Response)
	resp.Free = freeAssetResponse
	return resp
}

// maxAssetHead bounds the heads whose buffers are kept.
const maxAssetHead = 4 << 10

func freeAssetResponse(resp *isolate.Response) {
	head := resp.Head[:0]
	if cap(head) > maxAssetHead {
		head = nil
	}
	*resp = isolate.Response{Head: head}
	assetResponses.Put(resp)
}
