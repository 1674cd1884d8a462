// Package abi is the wire contract between a guest and its host: how heads are laid out in
// memory and which numbers mean what. It is pure: no wazero, no sockets, std only. The
// contract in prose is ABI.md.
package abi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// Heads travel in one flat buffer, so that a crossing copies one slice and decodes nothing:
//
//	request head                     response head
//	  0  u32 method length m           0  u32 status
//	  4  u32 url length u              4  u32 0
//	  8  u32 header count n            8  u32 header count n
//	 12  u32 header bytes h           12  u32 header bytes h
//	 16  method (m), url (u)          16  headers (h)
//	     headers (h)
//
//	a header:  u32 name length, u32 value length, name, value
//
// Integers are little endian and unaligned. Names are lower case. Order is kept and a name
// may repeat.
const (
	headSize   = 16
	headerSize = 8
)

// MaxHeadBytes bounds a whole head, the fixed part included (platform limit: 128 KiB of
// headers and a 16 KiB URL).
const MaxHeadBytes = 160 << 10

// ErrHead is wrapped by every complaint about a malformed head.
var ErrHead = errors.New("abi: malformed head")

// RequestHead is a validated flat request head.
type RequestHead []byte

// ResponseHead is a validated flat response head.
type ResponseHead []byte

// HeaderBlock is the header part of a head: zero or more headers, back to back.
type HeaderBlock []byte

func u32(b []byte, at int) int { return int(binary.LittleEndian.Uint32(b[at:])) }

// ParseRequestHead checks that b is one whole request head and nothing more.
func ParseRequestHead(b []byte) (RequestHead, error) {
	if len(b) < headSize {
		return nil, fmt.Errorf("%w: %d bytes, a request head has at least %d", ErrHead, len(b), headSize)
	}
	m, u, n, h := u32(b, 0), u32(b, 4), u32(b, 8), u32(b, 12)
	if len(b) > MaxHeadBytes {
		return nil, fmt.Errorf("%w: it has %d bytes, %d are allowed", ErrHead, len(b), MaxHeadBytes)
	}
	if headSize+m+u+h != len(b) {
		return nil, fmt.Errorf("%w: lengths %d+%d+%d do not fill %d bytes", ErrHead, m, u, h, len(b))
	}
	if err := HeaderBlock(b[headSize+m+u:]).check(n); err != nil {
		return nil, err
	}
	return RequestHead(b), nil
}

// ParseResponseHead checks that b is one whole response head and nothing more.
func ParseResponseHead(b []byte) (ResponseHead, error) {
	if len(b) < headSize {
		return nil, fmt.Errorf("%w: %d bytes, a response head has at least %d", ErrHead, len(b), headSize)
	}
	n, h := u32(b, 8), u32(b, 12)
	if reserved := u32(b, 4); reserved != 0 {
		return nil, fmt.Errorf("%w: reserved word is %d", ErrHead, reserved)
	}
	if len(b) > MaxHeadBytes {
		return nil, fmt.Errorf("%w: it has %d bytes, %d are allowed", ErrHead, len(b), MaxHeadBytes)
	}
	if headSize+h != len(b) {
		return nil, fmt.Errorf("%w: header length %d does not fill %d bytes", ErrHead, h, len(b))
	}
	if err := HeaderBlock(b[headSize:]).check(n); err != nil {
		return nil, err
	}
	return ResponseHead(b), nil
}

func (h RequestHead) Method() []byte { return h[headSize:][:u32(h, 0)] }
func (h RequestHead) URL() []byte    { return h[headSize+u32(h, 0):][:u32(h, 4)] }
func (h RequestHead) Headers() HeaderBlock {
	return HeaderBlock(h[headSize+u32(h, 0)+u32(h, 4):])
}

func (h ResponseHead) Status() int          { return u32(h, 0) }
func (h ResponseHead) Headers() HeaderBlock { return HeaderBlock(h[headSize:]) }

// check reports whether the block holds exactly n whole headers with sendable bytes.
func (b HeaderBlock) check(n int) error {
	for rest := b; len(rest) > 0; n-- {
		if len(rest) < headerSize || n == 0 {
			return fmt.Errorf("%w: header block is torn", ErrHead)
		}
		nl, vl := u32(rest, 0), u32(rest, 4)
		if nl == 0 || nl > len(rest) || vl > len(rest) || headerSize+nl+vl > len(rest) {
			return fmt.Errorf("%w: header of %d+%d bytes does not fit", ErrHead, nl, vl)
		}
		if name := rest[headerSize:][:nl]; !validName(name) {
			return fmt.Errorf("%w: header name %s", ErrHead, strconv.Quote(string(name)))
		}
		if value := rest[headerSize+nl:][:vl]; !validValue(value) {
			return fmt.Errorf("%w: value of header %s", ErrHead, rest[headerSize:][:nl])
		}
		rest = rest[headerSize+nl+vl:]
	}
	if n != 0 {
		return fmt.Errorf("%w: %d headers are missing", ErrHead, n)
	}
	return nil
}

// Next splits the first header off. It must not be called on an empty block.
func (b HeaderBlock) Next() (name, value []byte, rest HeaderBlock) {
	nl, vl := u32(b, 0), u32(b, 4)
	return b[headerSize:][:nl], b[headerSize+nl:][:vl], b[headerSize+nl+vl:]
}

// Get returns the first value of name, which must be lower case; nil when there is none.
func (b HeaderBlock) Get(name string) []byte {
	for len(b) > 0 {
		n, v, rest := b.Next()
		if string(n) == name {
			return v
		}
		b = rest
	}
	return nil
}

// AppendRequestHead appends the fixed part, method and URL of a request head without
// headers. Add headers with AppendHeader, which needs the offset where the head began.
func AppendRequestHead[M, U ~string | ~[]byte](dst []byte, method M, url U) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(method)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(url)))
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	dst = append(dst, method...)
	return append(dst, url...)
}

// AppendResponseHead appends a response head without headers.
func AppendResponseHead(dst []byte, status int) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(status))
	return append(dst, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
}

// AppendHeader appends one header, its name in lower case, to the head that begins at
// dst[head] and counts it there.
func AppendHeader[N, V ~string | ~[]byte](dst []byte, head int, name N, value V) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(name)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(value)))
	at := len(dst)
	dst = append(dst, name...)
	for i := at; i < len(dst); i++ {
		if c := dst[i]; 'A' <= c && c <= 'Z' {
			dst[i] = c + 'a' - 'A'
		}
	}
	dst = append(dst, value...)
	binary.LittleEndian.PutUint32(dst[head+8:], uint32(u32(dst, head+8)+1))
	binary.LittleEndian.PutUint32(dst[head+12:], uint32(u32(dst, head+12)+headerSize+len(name)+len(value)))
	return dst
}

// validName reports whether name is an RFC 9110 token in lower case: whoever looks for a header
// looks for it in lower case, so that no other may slip past.
func validName(name []byte) bool {
	for _, c := range name {
		if !tokenByte[c] {
			return false
		}
	}
	return true
}

// validValue refuses what would split or truncate a message on the wire: NUL, CR and LF.
func validValue(value []byte) bool {
	for _, c := range value {
		if c == 0 || c == '\r' || c == '\n' {
			return false
		}
	}
	return true
}

// tokenByte is RFC 9110's tchar without capitals.
var tokenByte = func() (t [256]bool) {
	for _, c := range "0123456789abcdefghijklmnopqrstuvwxyz!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()
