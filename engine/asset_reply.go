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
	r := assetReply{s: s, q: *q, request: request, file: s.manifest.Asset(answer.File), status: answer.Status, kept: true}
	r.end, r.length = r.file.Size, r.file.Size
	r.tag, r.varies = entityTag(&r.file), packable(&r.file)
	r.condition()
	var body isolate.Body
	var err error
	if r.status != 304 && q.Method != "HEAD" {
		if body, r.kept, err = a.body(s.owner, &r.file, r.first, r.end); err != nil {
			return nil, err
		}
	}
	resp := acquireAssetResponse()
	resp.Head, resp.Body = s.ruled(q, r.head(resp.Head[:0])), body
	if r.varies && r.status == answer.Status && request.Get("range") == nil && !plainOnly(resp.Head) {
		err = a.pack(&r, resp)
	}
	if err != nil {
		resp.Release()
		return nil, err
	}
	return resp, nil
}

// pack makes resp one of the file in the coding that is asked for, where that can be had.
func (a *assets) pack(r *assetReply, resp *isolate.Response) error {
	c := codingFor(r.request)
	if c == isolate.CodingIdentity {
		return nil
	}
	coded, err := a.packed(r.s.owner, &r.file, c)
	if coded == nil || err != nil {
		return err
	}
	r.coding, r.length = c, int64(len(coded))
	resp.Head = r.s.ruled(&r.q, r.head(resp.Head[:0]))
	if r.q.Method != "HEAD" {
		resp.Body.Close()
		resp.Body.Bytes = coded[:len(coded):len(coded)]
	}
	return nil
}

// assetReply is what of a file is sent, and how.
type assetReply struct {
	s       *versionSite
	q       site.Request
	request abi.HeaderBlock
	file    store.Asset

	status     int
	tag        etag
	first, end int64  // of the file's bytes
	length     int64  // of the whole, as it is coded
	ranged     string // Content-Range
	kept       bool   // it was in memory
	varies     bool   // by Accept-Encoding
	coding     isolate.Coding
}

// etag is W/"TAG". What is behind the slash is the tag of the plain file.
type etag [4 + 2*len(store.Tag{})]byte

func (t *etag) weak() []byte   { return t[:] }
func (t *etag) strong() []byte { return t[2:] }

func entityTag(file *store.Asset) (t etag) {
	copy(t[:], `W/"`)
	hex.Encode(t[3:], file.Tag[:])
	t[len(t)-1] = '"'
	return t
}

// condition looks at the headers that ask for less than the file (RFC 9110, 13 and 14).
func (r *assetReply) condition() {
	request, size := r.request, r.file.Size
	if tags := values(request, "if-none-match"); tags != "" && matchesTag(tags, string(r.tag.strong())) {
		r.status, r.end = 304, 0
		return
	}
	wanted := string(request.Get("range"))
	if wanted == "" || r.status != 200 || r.q.Method != "GET" {
		return
	}
	if unless := request.Get("if-range"); unless != nil && string(unless) != string(r.tag.strong()) {
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

func (r *assetReply) head(head []byte) []byte {
	head = abi.AppendResponseHead(head, r.status)
	if r.coding == isolate.CodingIdentity {
		head = abi.AppendHeader(head, 0, "etag", r.tag.strong())
	} else {
		head = abi.AppendHeader(head, 0, "etag", r.tag.weak())
		head = abi.AppendHeader(head, 0, "content-encoding", r.coding.String())
	}
	if r.file.Type != "" {
		head = abi.AppendHeader(head, 0, "content-type", r.file.Type)
	}
	if r.request.Get("authorization") == nil && r.request.Get("range") == nil {
		head = abi.AppendHeader(head, 0, "cache-control", revalidate)
	}
	if r.ranged != "" {
		head = abi.AppendHeader(head, 0, "content-range", r.ranged)
	}
	if r.varies {
		head = abi.AppendHeader(head, 0, "vary", "accept-encoding")
	}
	status := "MISS"
	if r.kept {
		status = "HIT"
	}
	head = abi.AppendHeader(head, 0, "cf-cache-status", status)
	if r.q.Method == "HEAD" && r.status != 304 {
		head = abi.AppendHeader(head, 0, "content-length", strconv.FormatInt(r.length, 10))
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
