package abi

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestFetchBlock(t *testing.T) {
	want := FetchBlock{
		Binding: 3, Source: SourceHead, Head: 100, HeadLen: 200, BodyKind: BodyStream, Body: 7, BodyLen: -1,
		Name: 300, NameLen: 5, Options: 400, OptionsLen: 6, Redirect: RedirectManual,
	}
	b := AppendFetchBlock(nil, want)
	if len(b) != FetchBlockSize {
		t.Fatalf("%d bytes, want %d", len(b), FetchBlockSize)
	}
	if got, err := ParseFetchBlock(b); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestRefusedFetchBlocks(t *testing.T) {
	for _, c := range []struct {
		name  string
		words map[int]int32
		want  string
	}{
		{"binding", map[int]int32{0: -3}, "binding -3"},
		{"source", map[int]int32{1: 2}, "source 2"},
		{"body kind", map[int]int32{4: 4}, "body kind 4"},
		{"the event's body and another", map[int]int32{1: 1, 4: 1}, "kind is 1"},
		{"bytes of negative length", map[int]int32{4: 1, 6: -1}, "length -1"},
		{"a stream of negative length", map[int]int32{4: 3, 6: -2}, "length -2"},
		{"redirect", map[int]int32{11: 3}, "redirect mode 3"},
		{"call kind", map[int]int32{12: 2}, "call kind 2"},
		{"reserved, last", map[int]int32{13: 1}, "reserved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := AppendFetchBlock(nil, FetchBlock{Binding: -1})
			for i, v := range c.words {
				binary.LittleEndian.PutUint32(b[4*i:], uint32(v))
			}
			if _, err := ParseFetchBlock(b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	for _, n := range []int{0, FetchBlockSize - 1, FetchBlockSize + 1} {
		if _, err := ParseFetchBlock(make([]byte, n)); err == nil {
			t.Errorf("%d bytes are accepted", n)
		}
	}
}
