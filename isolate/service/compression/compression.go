// Package compression is what CompressionStream and DecompressionStream (WHATWG Compression
// Streams) do: gzip (RFC 1952), deflate in a zlib wrapper (RFC 1950) and bare (RFC 1951).
package compression

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"switchyard/isolate/service"
)

// Methods, as the prelude numbers them.
const (
	newCompressor   = 1 // format -> object
	newDecompressor = 2 // format -> object
	compress        = 3 // object; data -> bytes
	endCompressed   = 4 // object -> the last bytes
	feed            = 5 // object; data: what a decompressor is to read next
	read            = 6 // object -> some bytes; none: it wants to be fed
	endDecompressed = 7 // object: no more will come
)

// What an object stands for in memory: a compressor has its window and hash tables, a decompressor
// its window and one piece of output.
const (
	compressorHeld   = 1 << 20
	decompressorHeld = 256 << 10
)

// Serve answers one request of a compression stream.
func Serve(r *service.Request) (service.Answer, error) {
	switch r.Method {
	case newCompressor:
		return service.Answer{Object: makeCompressor(string(r.Part(0))), Held: compressorHeld}, nil
	case newDecompressor:
		return service.Answer{Object: makeDecompressor(string(r.Part(0))), Held: decompressorHeld}, nil
	case compress:
		return answer(r.Object.(*compressor).write(r.Part(0), r.Meter), nil)
	case endCompressed:
		return answer(r.Object.(*compressor).end(), nil)
	case feed:
		return answer(nil, r.Object.(*decompressor).feed(r.Part(0)))
	case read:
		return answer(r.Object.(*decompressor).read())
	case endDecompressed:
		return answer(nil, r.Object.(*decompressor).end())
	}
	panic("BUG: compression: the prelude asks for a method that there is not")
}

func answer(b []byte, err error) (service.Answer, error) {
	return service.Answer{Bytes: b}, err
}

// compressor collects what its writer gives for the request's answer.
type compressor struct {
	out    bytes.Buffer
	writer io.WriteCloser
}

func makeCompressor(format string) *compressor {
	c := new(compressor)
	switch format {
	case "gzip":
		c.writer = gzip.NewWriter(&c.out)
	case "deflate":
		c.writer = zlib.NewWriter(&c.out)
	default:
		w, err := flate.NewWriter(&c.out, flate.DefaultCompression)
		if err != nil {
			panic("BUG: compression: " + err.Error())
		}
		c.writer = w
	}
	return c
}

// piece is how much is compressed before the caller's time is looked at: about a millisecond.
const piece = 64 << 10

func (c *compressor) write(data []byte, m service.Meter) []byte {
	for len(data) > piece {
		c.writer.Write(data[:piece])
		data = data[piece:]
		m.Pace()
	}
	c.writer.Write(data) // to a buffer: it cannot fail
	return c.take()
}

func (c *compressor) end() []byte {
	c.writer.Close()
	return c.take()
}

func (c *compressor) take() []byte {
	given := bytes.Clone(c.out.Bytes())
	c.out.Reset()
	return given
}
