package isolate

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"

	"switchyard/isolate/abi"
)

// Coding is a content coding (RFC 9110, 8.4.1). Between rooms a body always is as the head beside it
// says: coded bytes pass through ingress, Workers and egress untouched, and only a guest that reads
// a body, or sends it under a head that says otherwise, has it decoded:
//
//	origin ── gzip ──► handle ──┬── passed on under the same content-encoding ──► gzip, as it came
//	                            ├── read by the guest ──► plain
//	                            └── passed on under another ──► plain, or coded again
//
// The codings that Workers know are here. All others are bytes like any.
type Coding uint8

const (
	CodingIdentity Coding = iota
	CodingGzip
	CodingBrotli
)

// CodingOf returns what the body under these headers is coded in.
func CodingOf(headers abi.HeaderBlock) Coding {
	switch value := headers.Get("content-encoding"); string(value) {
	case "gzip":
		return CodingGzip
	case "br":
		return CodingBrotli
	}
	return CodingIdentity
}

// Decode makes a body that is coded in c one of plain bytes, as they are read.
func (b *Body) Decode(c Coding) {
	if c == CodingIdentity || b.empty() {
		return
	}
	d := &decoder{coding: c, source: source{body: b.Stream}}
	if b.Stream == nil {
		d.source.body, d.inMemory = io.NopCloser(bytes.NewReader(bytes.Clone(b.Bytes))), true
	}
	*b = Body{Stream: d, Length: -1}
}

// encode is the other way round.
func (b *Body) encode(c Coding) {
	if c == CodingIdentity || b.empty() {
		return
	}
	e := &encodedBody{source: b.Stream, encoder: newEncoder(c)}
	if b.Stream == nil {
		e.source = io.NopCloser(bytes.NewReader(bytes.Clone(b.Bytes)))
	}
	*b = Body{Stream: e, Length: -1}
}

// recode makes a body that is coded in one thing one that is coded in another.
func (b *Body) recode(from, to Coding) {
	if from != to {
		b.Decode(from)
		b.encode(to)
	}
}

// What a bomb may make of a few bytes: a body may be this large anyway, this much larger than what
// it is made of, and never larger than this.
const (
	freeDecoded  = 16 << 20
	maxExpansion = 250
	maxDecoded   = 1 << 30
)

var (
	errGzip     = errors.New("Gzip decompression failed.")
	errGzipEnd  = errors.New("Gzip compressed stream ended prematurely.")
	errBr       = errors.New("Brotli decompression failed.")
	errBrEnd    = errors.New("Brotli compressed stream ended prematurely.")
	errExpanded = errors.New("The decompressed body is too large.")
)

// decoder is a coded body, read as plain bytes. As of every body, Close may come from elsewhere.
type decoder struct {
	coding   Coding
	source   source
	reader   resetReader   // nil until the first read, and after the last
	decoded  int64         // bytes
	spent    time.Duration // on decoding, without what the source took; not yet charged
	err      error
	inMemory bool // reading never blocks
}

type resetReader interface {
	io.Reader
	Reset(io.Reader) error
}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}
var brotliReaders = sync.Pool{New: func() any { return new(brotli.Reader) }}

func (c Coding) readers() *sync.Pool {
	if c == CodingGzip {
		return &gzipReaders
	}
	return &brotliReaders
}

// Read implements io.Reader.
func (d *decoder) Read(p []byte) (n int, err error) {
	if d.err != nil {
		return 0, d.err
	}
	start, waited := monotonic(), d.source.waited
	if d.reader == nil {
		d.reader = d.coding.readers().Get().(resetReader)
		err = d.reader.Reset(&d.source) // reads the header, if there is one
	}
	if err == nil {
		n, err = d.reader.Read(p)
	}
	d.decoded += int64(n)
	d.spent += monotonic() - start - (d.source.waited - waited)
	if err == nil && d.expanded() {
		n, err = 0, errExpanded
	}
	if err != nil {
		d.err = d.failure(err)
		d.coding.readers().Put(d.reader)
		d.reader = nil
	}
	return n, d.err
}

func (d *decoder) expanded() bool {
	return d.decoded > freeDecoded && (d.decoded > maxDecoded || d.decoded > maxExpansion*d.source.n)
}

// failure words what ended the decoding as Workers do. A source that failed says why itself.
func (d *decoder) failure(err error) error {
	broken, early := errBr, errBrEnd
	if d.coding == CodingGzip {
		broken, early = errGzip, errGzipEnd
	}
	switch from := d.source.err; {
	case err == errExpanded:
		return err
	case from != nil && from != io.EOF:
		return from
	case err == io.EOF || d.source.n == 0:
		return io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return early
	}
	return broken
}

// Close implements io.Closer.
func (d *decoder) Close() error { return d.source.body.Close() }

// takeSpent returns the CPU time since it was last asked.
func (d *decoder) takeSpent() time.Duration {
	spent := d.spent
	d.spent = 0
	return spent
}

// source is what a decoder reads. It counts, and takes the time.
type source struct {
	body   io.ReadCloser
	n      int64
	waited time.Duration
	err    error
}

func (s *source) Read(p []byte) (int, error) {
	start := monotonic()
	n, err := s.body.Read(p)
	s.waited += monotonic() - start
	s.n += int64(n)
	if err != nil {
		s.err = err
	}
	return n, err
}
