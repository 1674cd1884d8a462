package nodehash

import (
	"encoding/hex"
	"testing"
	"time"

	"switchyard/isolate/service"
)

type countingMeter struct{ paces int }

func (m *countingMeter) Pace()                { m.paces++ }
func (m *countingMeter) Afford(time.Duration) {}

func ask(t *testing.T, m service.Meter, method uint32, object any, parts ...[]byte) service.Answer {
	t.Helper()
	a, err := Serve(&service.Request{Method: method, Object: object, Parts: parts, Meter: m})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var keyed, plain = []byte{1, 0, 0, 0}, []byte{0, 0, 0, 0}

// TestVectors: RFC 1321, FIPS 180-4, FIPS 202 and RFC 4231 on "abc" and "what do ya want for nothing?".
func TestVectors(t *testing.T) {
	for _, s := range []struct {
		algorithm      string
		keyed          []byte
		key, data, sum string
	}{
		{"md5", plain, "", "abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"sha1", plain, "", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"sha256", plain, "", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"sha3-256", plain, "", "abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
		{"sha256", keyed, "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	} {
		got := ask(t, new(countingMeter), methodSum, nil, []byte(s.algorithm), s.keyed, []byte(s.key), []byte(s.data))
		if hex.EncodeToString(got.Bytes) != s.sum {
			t.Errorf("%s of %q: got %x, want %s", s.algorithm, s.data, got.Bytes, s.sum)
		}
	}
}

// Every algorithm can be copied on its way, and tells its time while it works.
func TestObjects(t *testing.T) {
	big := make([]byte, 3*piece+1)
	for name := range algorithms {
		m := new(countingMeter)
		object := ask(t, m, methodNew, nil, []byte(name), plain).Object
		ask(t, m, methodUpdate, object, big)
		copied := ask(t, m, methodCopy, object).Object
		ask(t, m, methodUpdate, object, []byte("more"))
		want := ask(t, m, methodSum, nil, []byte(name), plain, nil, big).Bytes
		if got := ask(t, m, methodDigest, copied).Bytes; string(got) != string(want) {
			t.Errorf("%s: the copy is %x, want %x", name, got, want)
		}
		if m.paces != 6 {
			t.Errorf("%s: paced %d times, want 6", name, m.paces)
		}
	}
}
