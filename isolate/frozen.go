package isolate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"switchyard/isolate/js"
)

// A frozen snapshot is a JavaScript version's snapshot as it can be kept: the pages in which it
// differs from the engine's base, combined with the base's by exclusive or, so that what is
// equal inside a page is zero. All of it is compressed with zstd (RFC 8878); numbers are uvarints.
//
//	┌────────┬──────────┬─────────┬───────┬─────────┬──────┬───────┬──────────────────┬─────────────┐
//	│ format │ identity │ startup │ flags │ globals │ size │ count │ page, less the   │ page xor    │
//	│   1    │    32    │   ns    │       │         │      │       │ one before, less │ base's page │
//	│        │          │         │       │         │      │       │ 1; one a page    │ …           │
//	└────────┴──────────┴─────────┴───────┴─────────┴──────┴───────┴──────────────────┴─────────────┘
//
// WebAssembly follows (nestedfrozen.go).
//
// The identity is of everything that the rest depends on. It may hold secrets: whoever keeps it
// encrypts it.
const frozenFormat = 2

// ErrStale is a frozen snapshot of another version, engine or program, or no such thing: the
// Worker has to be evaluated again.
var ErrStale = errors.New("the frozen snapshot is of something else")

const (
	frozenFetch = 1 << iota // PoolInfo.HandlesFetch
	frozenSkin              // the image is a skin of the base
)

// codec is shared by all: its methods may be called from many goroutines.
var codec = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	enc, errE := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
	dec, errD := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(2*maxMemory))
	if err := errors.Join(errE, errD); err != nil {
		panic("BUG: zstd: " + err.Error())
	}
	return enc, dec
})

// Freeze returns the snapshot of a JavaScript version, for Spec.Frozen; nil for other versions,
// which start from their module. The pool must not be closed.
func (p *Pool) Freeze() []byte {
	if _, ok := p.guest.(jsGuest); !ok {
		return nil
	}
	s, base := p.snapshot, p.rt.js.base.image
	pages := s.image.unlike(base)
	id := p.identity()
	b := make([]byte, 0, 1024+len(pages)*(pageSize+binary.MaxVarintLen32))
	b = append(append(b, frozenFormat), id[:]...)
	b = binary.AppendUvarint(b, uint64(p.info.Startup))
	var flags uint64
	if p.info.HandlesFetch {
		flags |= frozenFetch
	}
	if s.image.base != nil {
		flags |= frozenSkin
	}
	b = binary.AppendUvarint(b, flags)
	for _, g := range s.globals {
		b = binary.AppendUvarint(b, g)
	}
	b = binary.AppendUvarint(b, uint64(s.image.size))
	b = binary.AppendUvarint(b, uint64(len(pages)))
	next := uint32(0)
	for _, n := range pages {
		b = binary.AppendUvarint(b, uint64(n-next))
		next = n + 1
	}
	for i, n := range pages {
		b = append(b, s.image.pageAt(i, n)...)
		page := b[len(b)-pageSize:]
		subtle.XORBytes(page, page, base.pageAt(int(n), n))
	}
	b = s.nested.appendFrozen(b)
	enc, _ := codec()
	return enc.EncodeAll(b, make([]byte, 0, len(b)/8))
}

// identity is everything that a frozen snapshot depends on besides the version's modules, whose
// owner keeps the two together.
func (p *Pool) identity() [sha256.Size]byte {
	h := sha256.New()
	h.Write(p.rt.js.identity())
	fmt.Fprintf(h, "%q %d %q %d", p.spec.Main, p.spec.Memory, p.spec.Env, p.spec.Node)
	if p.spec.Node != NodeNone { // what is imported later must fit what has been
		h.Write(js.NodeIdentity())
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// identity is of the engine: its base image holds the prelude, and what its code made of it.
func (e *engine) identity() []byte {
	e.hash.once.Do(func() {
		h := sha256.New()
		fmt.Fprintf(h, "%x %q %v %d ", e.module.key.source, e.module.rewritten.Globals, e.base.globals, e.module.key.memory)
		h.Write(e.base.image.own.bytes)
		e.hash.sum = h.Sum(nil)
	})
	return e.hash.sum
}

// zeros is a page that no image stores.
var zeros [pageSize]byte

// pageAt returns page n, which is the i-th of a skin's own.
func (im *image) pageAt(i int, n uint32) []byte {
	at := i * pageSize
	if im.base == nil {
		at = int(n) * pageSize
	}
	if at >= len(im.own.bytes) {
		return zeros[:]
	}
	return im.own.bytes[at : at+pageSize]
}

// unlike lists the pages in which the image, a skin of base or whole, differs from base.
func (im *image) unlike(base *image) (pages []uint32) {
	if im.base != nil {
		return im.pages
	}
	for n := range uint32(max(im.size, base.size) / pageSize) {
		if !bytes.Equal(im.pageAt(int(n), n), base.pageAt(int(n), n)) {
			pages = append(pages, n)
		}
	}
	return pages
}

// thaw makes the pool what it was when it was frozen. The error is ErrStale, or of this machine.
func (p *Pool) thaw(ctx context.Context, frozen []byte) error {
	if err := p.beJS(); err != nil {
		return err
	}
	_, dec := codec()
	scratch := thawing.take()
	b, err := dec.DecodeAll(frozen, scratch)
	if err != nil {
		return ErrStale
	}
	defer thawing.give(b)
	r := frozenReader{b: b}
	id := p.identity()
	if got := r.take(1 + len(id)); r.bad || got[0] != frozenFormat || !bytes.Equal(got[1:], id[:]) {
		return ErrStale
	}
	base := p.rt.js.base
	s := &snapshot{module: p.module, entry: js.Export, io: base.io}
	p.info.Startup = time.Duration(r.number(1 << 62))
	flags := r.number(frozenFetch | frozenSkin)
	p.info.HandlesFetch = flags&frozenFetch != 0
	for range base.globals {
		s.globals = append(s.globals, r.number(1<<64-1))
	}
	size := int(r.number(uint64(p.module.key.memory))) &^ (pageSize - 1)
	pages, data := r.pages(uint64(p.module.key.memory / pageSize))
	if r.bad || size == 0 {
		return ErrStale
	}
	if s.nested, err = p.thawNested(ctx, &r); err != nil {
		return err
	}
	if err = s.thawImage(p, size, flags, pages, data); err != nil && p.onClose != nil {
		p.onClose()
	}
	p.snapshot, p.info.Thawed = s, true
	return err
}

func (s *snapshot) thawImage(p *Pool, size int, flags uint64, pages []uint32, data []byte) (err error) {
	base := p.rt.js.base
	for i, n := range pages {
		page := data[i*pageSize:][:pageSize]
		subtle.XORBytes(page, page, base.image.pageAt(int(n), n))
	}
	if flags&frozenSkin != 0 {
		s.image, err = newSkin(&p.rt.slabs, size, base.image, pages, data)
	} else {
		s.image, err = newWhole(&p.rt.slabs, size, base.image, pages, data)
	}
	return err
}

// newSkin keeps data, the pages in which the image is unlike base.
func newSkin(s *slabs, size int, base *image, pages []uint32, data []byte) (im *image, err error) {
	im = &image{size: size, base: base, pages: pages}
	im.users.Store(1)
	if im.own, err = s.keep(data); err != nil {
		return nil, err
	}
	base.users.Add(1)
	return im, nil
}

// newWhole keeps what base becomes with these pages.
func newWhole(s *slabs, size int, base *image, pages []uint32, data []byte) (im *image, err error) {
	im = &image{size: size}
	im.users.Store(1)
	im.own, err = s.keepOver(base.own.bytes, size, pages, data)
	return im, err
}

// thawing keeps buffers that snapshots were decoded into, which are megabytes, from one cold start to the
// next: made anew, they were most of what the garbage collector ran for.
var thawing = make(scratch, 2)

type scratch chan []byte

const maxScratch = 16 << 20

func (s scratch) take() []byte {
	select {
	case b := <-s:
		return b[:0]
	default:
		return nil
	}
}

// give hands b over: nothing may look at it any more.
func (s scratch) give(b []byte) {
	if cap(b) > maxScratch {
		return
	}
	select {
	case s <- b:
	default:
	}
}

// frozenReader reads what Freeze wrote; once something is not as it should be, it is bad. What it returns is
// part of b.
type frozenReader struct {
	b   []byte
	bad bool
}

func (r *frozenReader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, n = true, 0
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// number reads one that may be at most most.
func (r *frozenReader) number(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > most {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

// pages reads the list of pages, each below most, and their bytes.
func (r *frozenReader) pages(most uint64) (pages []uint32, data []byte) {
	n := r.number(uint64(len(r.b) / pageSize))
	next := uint64(0)
	for range n {
		page := next + r.number(most)
		if page >= most {
			r.bad = true
			return nil, nil
		}
		pages = append(pages, uint32(page))
		next = page + 1
	}
	data = r.take(int(n) * pageSize)
	return pages, data
}
