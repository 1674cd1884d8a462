package isolate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"switchyard/isolate/abi"
)

func coded(t *testing.T, c Coding, data []byte) []byte {
	t.Helper()
	e := newEncoder(c)
	out := bytes.Clone(e.write(data))
	return append(out, e.end()...)
}

// TestCodingsRoundTrip codes and decodes, in memory and as streams that come in pieces.
func TestCodingsRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for _, c := range []Coding{CodingGzip, CodingBrotli} {
		for range 20 {
			data := make([]byte, r.IntN(200_000))
			for i := range data {
				data[i] = byte(r.IntN(1 + r.IntN(40)))
			}
			for _, body := range []Body{{Bytes: data}, {Stream: io.NopCloser(pieces{bytes.NewReader(data), r}), Length: int64(len(data))}} {
				body.encode(c)
				if body.Decode(c); body.empty() {
					if len(data) > 0 {
						t.Fatal("the body is gone")
					}
					continue
				}
				got, err := io.ReadAll(pieces{body.Stream, r})
				if err != nil || !bytes.Equal(got, data) {
					t.Fatalf("coding %d, %d bytes: %d came back, %v", c, len(data), len(got), err)
				}
			}
		}
	}
}

// pieces reads a little at a time.
type pieces struct {
	io.Reader
	r *rand.Rand
}

func (p pieces) Read(b []byte) (int, error) { return p.Reader.Read(b[:min(len(b), 1+p.r.IntN(3000))]) }

// TestDecodingStops: a bomb ends at its bound, what is broken with an error, what breaks off with its own.
func TestDecodingStops(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	io.Copy(w, io.LimitReader(zeroes{}, 64<<20))
	w.Close()
	var brBomb bytes.Buffer
	b := brotli.NewWriter(&brBomb)
	io.Copy(b, io.LimitReader(zeroes{}, 64<<20))
	b.Close()
	whole := coded(t, CodingGzip, []byte(strings.Repeat("text ", 50)))
	lost := errors.New("lost")
	for _, c := range []struct {
		name   string
		coding Coding
		source io.Reader
		want   error
	}{
		{"bomb", CodingGzip, &bomb, errExpanded},
		{"brotli bomb", CodingBrotli, &brBomb, errExpanded},
		{"not gzip", CodingGzip, strings.NewReader("this is no gzip at all"), errGzip},
		{"not brotli", CodingBrotli, strings.NewReader("\xff\xff\xff\xff\xff\xff"), errBr},
		{"cut in the header", CodingGzip, bytes.NewReader(whole[:5]), errGzipEnd},
		{"cut in the data", CodingGzip, bytes.NewReader(whole[:15]), errGzipEnd},
		{"cut in the checksum", CodingGzip, bytes.NewReader(whole[:len(whole)-1]), errGzipEnd},
		{"cut brotli", CodingBrotli, bytes.NewReader(coded(t, CodingBrotli, []byte("text text text"))[:6]), errBrEnd},
		{"broken source", CodingGzip, io.MultiReader(bytes.NewReader(whole[:15]), failing{lost}), lost},
		{"nothing", CodingGzip, strings.NewReader(""), nil},
	} {
		body := Body{Stream: io.NopCloser(c.source), Length: -1}
		body.Decode(c.coding)
		n, err := io.Copy(io.Discard, body.Stream)
		if err != c.want || n > freeDecoded+maxExpansion*int64(bomb.Len()) {
			t.Errorf("%s: %v after %d bytes, want %v", c.name, err, n, c.want)
		}
		if again, err := body.Stream.Read(make([]byte, 8)); again != 0 || err == nil {
			t.Errorf("%s: read again: %d, %v", c.name, again, err)
		}
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestStreamsAreFlushed: what was written can be read before more is.
func TestStreamsAreFlushed(t *testing.T) {
	for _, c := range []Coding{CodingGzip, CodingBrotli} {
		in, out := io.Pipe()
		body := Body{Stream: in, Length: -1}
		body.encode(c)
		body.Decode(c)
		for _, event := range []string{"one", "two", "three"} {
			go out.Write([]byte(event))
			got := make([]byte, 10)
			if n, err := body.Stream.Read(got); err != nil || string(got[:n]) != event {
				t.Errorf("coding %d: %q, %v, want %q", c, got[:n], err, event)
			}
		}
		out.Close()
	}
}

func TestCodingOf(t *testing.T) {
	for value, want := range map[string]Coding{"gzip": CodingGzip, "br": CodingBrotli, "GZIP": CodingIdentity, "gzip, br": CodingIdentity} {
		head := abi.AppendHeader(abi.AppendResponseHead(nil, 200), 0, "content-encoding", value)
		if got := CodingOf(abi.ResponseHead(head).Headers()); got != want {
			t.Errorf("%q: %d, want %d", value, got, want)
		}
	}
}
