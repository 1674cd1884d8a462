package isolate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

// TestPieces: what the host copies in pieces is whole, around the size of a piece and far above.
func TestPieces(t *testing.T) {
	host := &fakeHost{fetch: func(_ context.Context, _ *Call, sub *Subrequest) (*Response, error) {
		body := sub.Request.Body.Bytes
		if s := sub.Request.Body.Stream; s != nil {
			body, _ = io.ReadAll(s)
		}
		return &Response{Head: testResponse(200, "").Head, Body: Body{Bytes: bytes.Clone(body)}}, nil
	}}
	p := newTestPool(t, jsSpec(handler(`
		const [, way, size] = new URL(request.url).pathname.split("/")
		const body = new Uint8Array(+size)
		for (let i = 0; i < body.length; i++) body[i] = (i ^ i >> 8) & 255
		if (way === "respond") return new Response(body)
		if (way === "fetch") return fetch("http://o.test/", { method: "POST", body })
		if (way === "pass") return new Response((await fetch("http://o.test/", { method: "POST", body })).body)
		return fetch("http://o.test/", { method: "POST", body: new ReadableStream({ start(c) { c.enqueue(body); c.enqueue(body.slice(0, 9)); c.close() } }) })`)))
	for _, size := range []int{0, 1, copyPiece - 1, copyPiece, copyPiece + 1, 2 * copyPiece, 5*copyPiece + 77} {
		want := make([]byte, size)
		for i := range want {
			want[i] = byte(i ^ i>>8)
		}
		for _, way := range []string{"respond", "fetch", "pass", "stream"} {
			c := &Call{Context: context.Background(), Host: host, Request: testRequest("GET", fmt.Sprintf("http://a.test/%s/%d", way, size), "")}
			r, err := p.Invoke(c)
			if err != nil {
				t.Fatalf("%s of %d: %v", way, size, err)
			}
			got := r.Body.Bytes
			if r.Body.Stream != nil {
				got, _ = io.ReadAll(r.Body.Stream)
			}
			whole := want
			if way == "stream" {
				whole = append(bytes.Clone(want), want[:min(9, size)]...)
			}
			if !bytes.Equal(got, whole) {
				t.Errorf("%s of %d bytes: %d came, or others", way, size, len(got))
			}
			r.Release()
		}
	}
}

// TestPiecesAreCharged: a guest whose time is up ends in the midst of the host's work for it.
func TestPiecesAreCharged(t *testing.T) {
	p := poolOf(t, wasmRuntime(t), wasmSpec(readFile(t, "testdata/hostile.wasm"), PolicyRequest))
	for _, c := range []struct{ name, path string }{{"response", "/q"}, {"random_get", "/m"}, {"log", "/n"}, {"lines", "/u"}} {
		call := &Call{Context: context.Background(), Request: wasmRequest("GET", c.path, Body{}), Limits: Limits{CPU: 3 * time.Millisecond}}
		if _, err := p.Invoke(call); !errors.Is(err, ErrCPULimit) {
			t.Errorf("%s: %v, want the end by the CPU limit", c.name, err)
		}
	}
}
