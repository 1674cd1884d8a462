package isolate

import (
	"bytes"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
)

// encoder codes what a guest sends under a content-encoding that it names. Each piece is flushed: an
// event must not wait for the next one.
type encoder struct {
	coding Coding
	out    bytes.Buffer
	writer codingWriter // nil once ended
}

type codingWriter interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// brotliLevel is about as fast as gzip's default, and smaller.
const brotliLevel = 4

var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
var brotliWriters = sync.Pool{New: func() any { return brotli.NewWriterLevel(nil, brotliLevel) }}

func (c Coding) writers() *sync.Pool {
	if c == CodingGzip {
		return &gzipWriters
	}
	return &brotliWriters
}

// newEncoder returns nil for CodingIdentity.
func newEncoder(c Coding) *encoder {
	if c == CodingIdentity {
		return nil
	}
	e := &encoder{coding: c, writer: c.writers().Get().(codingWriter)}
	e.writer.Reset(&e.out)
	return e
}

// Encode returns plain bytes coded in c, which is not CodingIdentity.
func (c Coding) Encode(plain []byte) []byte {
	e := newEncoder(c)
	e.writer.Write(plain)
	e.writer.Close()
	e.drop()
	return e.out.Bytes()
}

// write returns the coded bytes, which are valid until the next call. Nothing fails: it goes to memory.
func (e *encoder) write(p []byte) []byte {
	e.out.Reset()
	e.writer.Write(p)
	e.writer.Flush()
	return e.out.Bytes()
}

// end returns the last bytes.
func (e *encoder) end() []byte {
	e.out.Reset()
	e.writer.Close()
	e.drop()
	return e.out.Bytes()
}

// drop gives the writer back.
func (e *encoder) drop() {
	if e.writer != nil {
		e.coding.writers().Put(e.writer)
		e.writer = nil
	}
}

// encodedBody is a plain body, coded as it is read.
type encodedBody struct {
	source  io.ReadCloser
	encoder *encoder
	coded   []byte // not yet read
	err     error  // after coded
	piece   [16 << 10]byte
}

// Read implements io.Reader.
func (e *encodedBody) Read(p []byte) (int, error) {
	for len(e.coded) == 0 && e.err == nil {
		e.more()
	}
	n := copy(p, e.coded)
	e.coded = e.coded[n:]
	if n > 0 {
		return n, nil
	}
	return 0, e.err
}

func (e *encodedBody) more() {
	n, err := e.source.Read(e.piece[:])
	if n > 0 {
		e.coded = e.encoder.write(e.piece[:n])
	}
	switch {
	case err == nil:
	case err == io.EOF && n == 0:
		e.coded, e.err = e.encoder.end(), err
	case err != io.EOF:
		e.encoder.drop()
		e.err = err
	}
}

// Close implements io.Closer.
func (e *encodedBody) Close() error { return e.source.Close() }
