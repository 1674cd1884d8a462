package abi

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func words(v ...uint32) []byte {
	var b []byte
	for _, w := range v {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

func TestRequestHead(t *testing.T) {
	b := AppendRequestHead([]byte("before"), "POST", "https://a.example/x?y")
	b = AppendHeader(b, 6, "Content-Type", "text/plain")
	b = AppendHeader(b, 6, "x-empty", "")
	b = AppendHeader(b, 6, "set-cookie", "a=1")
	b = AppendHeader(b, 6, "set-cookie", []byte("b=2"))
	h, err := ParseRequestHead(b[6:])
	if err != nil {
		t.Fatal(err)
	}
	if string(h.Method()) != "POST" || string(h.URL()) != "https://a.example/x?y" {
		t.Errorf("%s %s", h.Method(), h.URL())
	}
	if got, want := list(h.Headers()), "content-type=text/plain x-empty= set-cookie=a=1 set-cookie=b=2"; got != want {
		t.Errorf("headers %s, want %s", got, want)
	}
	if got := h.Headers().Get("set-cookie"); string(got) != "a=1" {
		t.Errorf("Get gives %s, want the first", got)
	}
	if got := h.Headers().Get("x-empty"); got == nil || len(got) != 0 {
		t.Errorf("Get of an empty header gives %v", got)
	}
	if got := h.Headers().Get("missing"); got != nil {
		t.Errorf("Get of a missing header gives %q", got)
	}
}

func list(b HeaderBlock) string {
	var all []string
	for len(b) > 0 {
		var name, value []byte
		name, value, b = b.Next()
		all = append(all, fmt.Sprintf("%s=%s", name, value))
	}
	return strings.Join(all, " ")
}

// TestDocumentedHead is the example of ABI.md.
func TestDocumentedHead(t *testing.T) {
	want := append(words(200, 0, 1, 30, 12, 10), "content-typetext/plain"...)
	got := AppendHeader(AppendResponseHead(nil, 200), 0, "Content-Type", "text/plain")
	if !bytes.Equal(got, want) || len(got) != 46 {
		t.Errorf("% x, want % x", got, want)
	}
	if h, err := ParseResponseHead(got); err != nil || h.Status() != 200 || list(h.Headers()) != "content-type=text/plain" {
		t.Errorf("%v %s", err, list(h.Headers()))
	}
}

func TestMalformedHeads(t *testing.T) {
	request := func(m, u, n, h uint32, rest string) []byte { return append(words(m, u, n, h), rest...) }
	one := func(name, value string) []byte {
		return append(words(0, 0, 1, uint32(8+len(name)+len(value)), uint32(len(name)), uint32(len(value))), name+value...)
	}
	for _, c := range []struct {
		name string
		head []byte
		want string
	}{
		{"empty", nil, "0 bytes"},
		{"no room for the fixed part", make([]byte, 15), "15 bytes"},
		{"a method that is cut off", request(4, 0, 0, 0, "GE"), "do not fill"},
		{"bytes left over", request(3, 0, 0, 0, "GET!"), "do not fill"},
		{"lengths whose sum wraps", request(1<<31, 1<<31, 0, 0, ""), "do not fill"},
		{"larger than a head may be", append(words(MaxHeadBytes, 0, 0, 0), make([]byte, MaxHeadBytes)...), "are allowed"},
		{"a header count too large", request(0, 0, 1, 0, ""), "1 headers are missing"},
		{"a header count too small", request(0, 0, 0, 9, string(words(1, 0))+"a"), "torn"},
		{"half a header", request(0, 0, 1, 7, "1234567"), "torn"},
		{"a header longer than its block", request(0, 0, 1, 9, string(words(1, 1))+"a"), "does not fit"},
		{"a header whose length wraps", request(0, 0, 1, 9, string(words(1, 1<<32-1))+"a"), "does not fit"},
		{"a name without a letter", one("", "v"), "does not fit"},
		{"a name with a space", one("a b", "v"), "header name"},
		{"a name with a colon", one("a:", "v"), "header name"},
		{"a name with a line feed", one("a\n", "v"), "header name"},
		{"a name beyond ASCII", one("ä", "v"), "header name"},
		{"a name with a capital", one("Host", "v"), "header name"},
		{"a value with CR", one("a", "v\r"), "value of header a"},
		{"a value with LF", one("a", "v\nx"), "value of header a"},
		{"a value with NUL", one("a", "\x00"), "value of header a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseRequestHead(c.head)
			if !errors.Is(err, ErrHead) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("request: error %v, want ErrHead with %q", err, c.want)
			}
			if _, err := ParseResponseHead(c.head); err == nil {
				t.Error("a response head of these bytes is accepted")
			}
		})
	}
}

// TestHeadsRoundTrip builds random heads and reads them back. Its seed is printed.
func TestHeadsRoundTrip(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	text := func(most int) string {
		b := make([]byte, rng.IntN(most))
		for i := range b {
			b[i] = "abcdefgh-0123456789"[rng.IntN(19)]
		}
		return string(b)
	}
	for range 2000 {
		prefix, method, url := text(9), text(8), text(40)
		b := AppendRequestHead([]byte(prefix), method, url)
		var want []string
		for range rng.IntN(6) {
			name, value := "n"+text(10), text(100)
			b = AppendHeader(b, len(prefix), name, value)
			want = append(want, name+"="+value)
		}
		h, err := ParseRequestHead(b[len(prefix):])
		if err != nil {
			t.Fatalf("% x: %v", b, err)
		}
		if string(h.Method()) != method || string(h.URL()) != url || list(h.Headers()) != strings.Join(want, " ") {
			t.Fatalf("%s %s %s, want %s %s %s", h.Method(), h.URL(), list(h.Headers()), method, url, want)
		}
	}
}

// FuzzHead: whatever parses can be walked, and is the same when it is written again.
func FuzzHead(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte(AppendHeader(AppendRequestHead(nil, "GET", "http://a/"), 0, "host", "a")))
	f.Add([]byte(AppendHeader(AppendResponseHead(nil, 200), 0, "a", "")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := ParseRequestHead(b); err == nil {
			again := AppendRequestHead(nil, h.Method(), h.URL())
			if again = rewrite(again, h.Headers()); !bytes.Equal(again, b) {
				t.Errorf("% x, again % x", b, again)
			}
		}
		if h, err := ParseResponseHead(b); err == nil {
			again := AppendResponseHead(nil, h.Status())
			if again = rewrite(again, h.Headers()); !bytes.Equal(again, b) {
				t.Errorf("% x, again % x", b, again)
			}
		}
	})
}

func rewrite(head []byte, b HeaderBlock) []byte {
	for len(b) > 0 {
		var name, value []byte
		name, value, b = b.Next()
		head = AppendHeader(head, 0, name, value)
	}
	return head
}

func TestHeadsAllocateNothing(t *testing.T) {
	b := AppendHeader(AppendRequestHead(nil, "GET", "http://a.example/"), 0, "host", "a.example")
	buf := make([]byte, 0, 256)
	n := testing.AllocsPerRun(100, func() {
		h, err := ParseRequestHead(b)
		if err != nil || h.Headers().Get("host") == nil {
			panic(err)
		}
		AppendHeader(AppendResponseHead(buf, 200), 0, "content-type", "text/plain")
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}
