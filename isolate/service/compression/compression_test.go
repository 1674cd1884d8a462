package compression

import (
	"bytes"
	stdflate "compress/flate"
	stdgzip "compress/gzip"
	stdzlib "compress/zlib"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"switchyard/isolate/service"
)

type noMeter struct{}

func (noMeter) Pace()                {}
func (noMeter) Afford(time.Duration) {}

func call(t *testing.T, method uint32, object any, parts ...[]byte) service.Answer {
	t.Helper()
	a, err := Serve(&service.Request{Method: method, Object: object, Parts: parts, Meter: noMeter{}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var formats = map[string]func(io.Writer) io.WriteCloser{
	"gzip":    func(w io.Writer) io.WriteCloser { return stdgzip.NewWriter(w) },
	"deflate": func(w io.Writer) io.WriteCloser { return stdzlib.NewWriter(w) },
	"deflate-raw": func(w io.Writer) io.WriteCloser {
		f, _ := stdflate.NewWriter(w, 6)
		return f
	},
}

func compressed(format string, data []byte) []byte {
	var out bytes.Buffer
	w := formats[format](&out)
	w.Write(data)
	w.Close()
	return out.Bytes()
}

// decompress feeds data in chunks of the given size and returns the output and the first error.
func decompress(format string, data []byte, chunk int) (out []byte, err error) {
	d := makeDecompressor(format)
	defer d.Close()
	for len(data) > 0 {
		n := min(chunk, len(data))
		if err := d.feed(data[:n]); err != nil {
			return out, err
		}
		data = data[n:]
		for {
			p, err := d.read()
			if err != nil {
				return out, err
			}
			if len(p) == 0 {
				break
			}
			out = append(out, p...)
		}
	}
	return out, d.end()
}

func TestDecompress(t *testing.T) {
	text := []byte(strings.Repeat("a line that comes again and again\n", 10_000))
	for format := range formats {
		for _, data := range [][]byte{nil, []byte("x"), text} {
			for _, chunk := range []int{1, 7, 1 << 20} {
				got, err := decompress(format, compressed(format, data), chunk)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s, %d bytes in chunks of %d: %d bytes, error %v", format, len(data), chunk, len(got), err)
				}
			}
		}
	}
}

func TestBadData(t *testing.T) {
	text := []byte(strings.Repeat("a line that comes again and again\n", 100))
	for format := range formats {
		good := compressed(format, text)
		broken := bytes.Clone(good)
		broken[len(broken)/2] ^= 0x55
		for _, s := range []struct {
			name string
			data []byte
			want error
		}{
			{"nothing", nil, errTruncated},
			{"cut", good[:len(good)-1], errTruncated},
			{"half", good[:len(good)/2], errTruncated},
			{"a byte after it", append(bytes.Clone(good), 0), errTrailing},
			{"another after it", append(bytes.Clone(good), good...), errTrailing},
		} {
			for _, chunk := range []int{1, 1 << 20} {
				if _, err := decompress(format, s.data, chunk); err != s.want {
					t.Errorf("%s, %s, in chunks of %d: error %v, want %v", format, s.name, chunk, err, s.want)
				}
			}
		}
		if _, err := decompress(format, broken, 1<<20); err == nil && format != "deflate-raw" {
			t.Errorf("%s: a flipped byte is not noticed", format)
		}
		if _, err := decompress(format, []byte("this is no compressed data at all"), 5); err == nil {
			t.Errorf("%s: text is taken for compressed data", format)
		}
	}
}

func TestCompress(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, 300_000)
	for i := range data {
		data[i] = byte(random.IntN(30))
	}
	for format := range formats {
		c := call(t, newCompressor, nil, []byte(format)).Object
		var out []byte
		for rest := data; len(rest) > 0; {
			n := min(1+random.IntN(100_000), len(rest))
			out = append(out, call(t, compress, c, rest[:n]).Bytes...)
			rest = rest[n:]
		}
		out = append(out, call(t, endCompressed, c).Bytes...)
		if got, err := decompress(format, out, 1000); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes come back, error %v", format, len(got), err)
		}
	}
}

// A bomb comes in pieces, and a decompressor that is given up leaves no goroutine.
func TestBomb(t *testing.T) {
	before := runtime.NumGoroutine()
	bomb := compressed("gzip", make([]byte, 100<<20))
	for range 50 {
		d := makeDecompressor("gzip")
		d.feed(bomb)
		p, err := d.read()
		if err != nil || len(p) != outputPiece {
			t.Fatalf("%d bytes, error %v", len(p), err)
		}
		d.Close()
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}
