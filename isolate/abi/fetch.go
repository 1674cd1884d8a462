package abi

import (
	"encoding/binary"
	"fmt"
)

// A FETCH block says what to fetch, in 14 words, so that one import serves a plain fetch, a
// service binding and a dispatch namespace. The JavaScript engine's shim uses the same layout.
//
//	 0 binding      -1: plain fetch; else an index that binding() returned
//	 1 source       SourceHead or SourceEvent
//	 2 head ptr     a flat request head; 0 with SourceEvent
//	 3 head length
//	 4 body kind    BodyNone, BodyBytes, BodyHandle, BodyStream; 0 with SourceEvent
//	 5 body         pointer, handle or stream
//	 6 body length  of BodyBytes; of BodyStream when it is known, else -1
//	 7 name ptr     dispatch namespace: name of the script
//	 8 name length
//	 9 options ptr  dispatch namespace: JSON {"args":…,"limits":…,"outbound":…}
//	10 options length
//	11 redirect     RedirectFollow, RedirectError, RedirectManual
//	12 call kind    CallFetch, CallRPC
//	13 0
const FetchBlockSize = 14 * 4

// Where the head and body of a fetch come from.
const (
	SourceHead  = 0 // words 2–6
	SourceEvent = 1 // the request being answered, untouched: head and body by handle
)

// Body kinds.
const (
	BodyNone   = 0
	BodyBytes  = 1 // copied during the call
	BodyHandle = 2 // a body the guest was given; it gives it up
	BodyStream = 3 // a stream from stream_new, which the guest goes on to write
)

// Redirect modes.
const (
	RedirectFollow = 0
	RedirectError  = 1
	RedirectManual = 2
)

// Call kinds.
const (
	CallFetch = 0
	CallRPC   = 1 // a method; of JavaScript only
)

// Bindings that are not the version's.
const (
	BindingGlobal = -1 // a plain fetch()
	BindingCache  = -2 // the Cache API; of JavaScript only
)

// FetchBlock is a decoded FETCH block. Pointers are the guest's and not checked here.
type FetchBlock struct {
	Binding             int32
	Source              uint32
	Head, HeadLen       uint32
	BodyKind            uint32
	Body                uint32
	BodyLen             int32
	Name, NameLen       uint32
	Options, OptionsLen uint32
	Redirect            uint32
	Kind                uint32
}

// ParseFetchBlock decodes b, FetchBlockSize bytes, and refuses values outside their tables.
func ParseFetchBlock(b []byte) (f FetchBlock, err error) {
	if len(b) != FetchBlockSize {
		return f, fmt.Errorf("abi: a FETCH block has %d bytes, not %d", FetchBlockSize, len(b))
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(b[i*4:]) }
	f = FetchBlock{
		Binding: int32(word(0)), Source: word(1), Head: word(2), HeadLen: word(3),
		BodyKind: word(4), Body: word(5), BodyLen: int32(word(6)),
		Name: word(7), NameLen: word(8), Options: word(9), OptionsLen: word(10), Redirect: word(11), Kind: word(12),
	}
	switch {
	case f.Binding < BindingCache:
		err = fmt.Errorf("abi: binding %d", f.Binding)
	case f.Source > SourceEvent:
		err = fmt.Errorf("abi: request source %d", f.Source)
	case f.BodyKind > BodyStream:
		err = fmt.Errorf("abi: body kind %d", f.BodyKind)
	case f.Source == SourceEvent && f.BodyKind != BodyNone:
		err = fmt.Errorf("abi: the event's request brings its own body, kind is %d", f.BodyKind)
	case f.BodyLen < 0 && (f.BodyKind == BodyBytes || f.BodyLen != -1):
		err = fmt.Errorf("abi: body length %d", f.BodyLen)
	case f.Redirect > RedirectManual:
		err = fmt.Errorf("abi: redirect mode %d", f.Redirect)
	case f.Kind > CallRPC:
		err = fmt.Errorf("abi: call kind %d", f.Kind)
	case word(13) != 0:
		err = fmt.Errorf("abi: the reserved word of a FETCH block is %d", word(13))
	}
	return f, err
}

// AppendFetchBlock appends the encoded block.
func AppendFetchBlock(dst []byte, f FetchBlock) []byte {
	for _, w := range [...]uint32{
		uint32(f.Binding), f.Source, f.Head, f.HeadLen, f.BodyKind, f.Body, uint32(f.BodyLen),
		f.Name, f.NameLen, f.Options, f.OptionsLen, f.Redirect, f.Kind, 0,
	} {
		dst = binary.LittleEndian.AppendUint32(dst, w)
	}
	return dst
}
