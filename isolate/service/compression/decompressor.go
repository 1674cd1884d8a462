package compression

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"switchyard/isolate/service"
)

// decompressor turns a reader that pulls into one that is fed. The reader runs on a goroutine of
// its own, and never at the same time as who asks: one of the two always waits for the other.
//
//	feed: input ──►┌───────────┐ ──► turn{bytes}   a piece of output
//	read: go on ──►│ goroutine │ ──► turn{}        it wants input
//	Close          └───────────┘ ──► turn{err}     io.EOF after the last byte, or what is wrong
type decompressor struct {
	input  bytes.Reader
	last   bool // nothing comes after input
	turns  chan turn
	goOn   chan bool // false: stop
	failed error     // what ended the reader
}

type turn struct {
	output []byte
	err    error
}

// outputPiece is how much one read gives: it bounds what a bomb of a few bytes makes of the host's
// memory, and how long the caller waits.
const outputPiece = 64 << 10

var (
	errCorrupt   = service.Fail("TypeError", "Decompression failed: the data is not valid.")
	errTruncated = service.Fail("TypeError", "Decompression failed: the data ends too early.")
	errTrailing  = service.Fail("TypeError", "Decompression failed: there are bytes after the end of the data.")
	errStopped   = errors.New("stopped")
)

func makeDecompressor(format string) *decompressor {
	d := &decompressor{turns: make(chan turn), goOn: make(chan bool)}
	go d.run(format)
	return d
}

// run is the goroutine: it ends when the data does, or with Close.
func (d *decompressor) run(format string) {
	if !<-d.goOn {
		return
	}
	err := d.decompress(format)
	if err != errStopped {
		d.turns <- turn{err: err}
	}
}

func (d *decompressor) decompress(format string) error {
	r, err := open(format, fed{d})
	for buf := make([]byte, outputPiece); err == nil; {
		var n int
		n, err = io.ReadFull(r, buf)
		if err == io.ErrUnexpectedEOF && n > 0 && !d.last {
			err = io.EOF // of the output; the reader says the same of a cut input
		}
		if n > 0 && !d.give(buf[:n]) {
			return errStopped
		}
	}
	return err
}

func open(format string, from fed) (io.Reader, error) {
	switch format {
	case "gzip":
		r, err := gzip.NewReader(from)
		if err == nil {
			r.Multistream(false) // a second member is trailing data
		}
		return r, err
	case "deflate":
		return zlib.NewReader(from)
	}
	return flate.NewReader(from), nil
}

// give hands output over and waits to go on.
func (d *decompressor) give(output []byte) bool {
	d.turns <- turn{output: output}
	return <-d.goOn
}

// fed is the reader's source. It has ReadByte, so that nobody reads more than the data.
type fed struct{ d *decompressor }

func (f fed) more() error {
	for f.d.input.Len() == 0 {
		if f.d.last {
			return io.EOF
		}
		if !f.d.give(nil) {
			return errStopped
		}
	}
	return nil
}

func (f fed) ReadByte() (byte, error) {
	if err := f.more(); err != nil {
		return 0, err
	}
	return f.d.input.ReadByte()
}

func (f fed) Read(p []byte) (int, error) {
	if err := f.more(); err != nil {
		return 0, err
	}
	return f.d.input.Read(p)
}

// feed gives more input, all of what came before having been read.
func (d *decompressor) feed(data []byte) error {
	if d.failed == io.EOF && len(data) > 0 {
		return errTrailing
	}
	d.input.Reset(bytes.Clone(data))
	return nil
}

// read lets the goroutine go on until it has output, wants input, or is done.
func (d *decompressor) read() ([]byte, error) {
	if d.failed != nil {
		return nil, nil
	}
	d.goOn <- true
	t := <-d.turns
	if t.err == nil {
		return bytes.Clone(t.output), nil
	}
	d.failed = t.err
	return nil, d.trouble()
}

func (d *decompressor) trouble() error {
	switch {
	case d.failed == io.EOF && d.input.Len() > 0:
		return errTrailing
	case d.failed == io.EOF:
		return nil
	case errors.Is(d.failed, io.ErrUnexpectedEOF):
		return errTruncated
	}
	return errCorrupt
}

// end says that the input is over: what was to come must have come.
func (d *decompressor) end() error {
	if d.failed == io.EOF {
		return nil
	}
	if d.failed == nil {
		d.last = true
		if _, err := d.read(); err != nil && err != errCorrupt {
			return err
		}
	}
	return errTruncated
}

// Close implements io.Closer.
func (d *decompressor) Close() error {
	if d.failed == nil {
		d.failed = errStopped
		d.goOn <- false
	}
	return nil
}
