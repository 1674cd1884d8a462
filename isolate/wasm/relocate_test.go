package wasm

import (
	"os"
	"strings"
	"testing"
)

// TestRelocateRefused: what JavaScript cannot instantiate, and what the error says.
func TestRelocateRefused(t *testing.T) {
	fn := sec(1, 1, "\x60\x00\x00") + sec(3, 1, "\x00")
	body := sec(10, 1, "\x02\x00\x0b")
	for _, c := range []struct{ name, binary, want string }{
		{"empty", "", "byte 0: not a wasm module"},
		{"component", "\x00asm\x0d\x00\x01\x00", "byte 4: a component (component model) is not supported"},
		{"cut section", header + "\x01\x05\x01", "byte 10: unexpected end: 5 bytes announced, 1 left"},
		{"section order", mod(sec(3, 0, ""), sec(1, 0, "")), "repeated or out of order"},
		{"tags", mod(raw(13, "\x00")), "byte 8: a tag section (exceptions) is not supported"},
		{"imported table", mod(sec(2, 1, "\x01a\x01b\x01\x70\x00\x01")), `import "a" "b": an imported table is not supported`},
		{"imported reference", mod(sec(2, 1, "\x01a\x01b\x03\x6f\x00")), `import "a" "b": an imported global of a reference or vector`},
		{"two memories", mod(sec(2, 1, "\x01a\x01b\x02\x00\x01"), sec(5, 1, "\x00\x01")), "a second memory"},
		{"shared memory", mod(sec(2, 1, "\x01a\x01b\x02\x03\x01\x02")), "a shared memory (threads)"},
		{"constant of a later global", mod(sec(6, 2, "\x7f\x00\x23\x01\x0b\x7f\x00\x41\x00\x0b")), "global 1 in a constant expression is not an imported constant"},
		{"mutability", mod(sec(6, 1, "\x7f\x02\x41\x00\x0b")), "0x02 is not a mutability"},
		{"global that is set", mod(sec(1, 1, "\x60\x00\x00"), sec(3, 1, "\x00"), sec(6, 1, "\x7f\x00\x41\x00\x0b"), sec(10, 1, "\x06\x00\x41\x00\x24\x00\x0b")), "global 0 is set but not mutable"},
		{"function index", withBody("\x00\x10\x09\x0b"), "byte 23: function index 9 is out of range"},
		{"load without memory", withBody("\x00\x41\x00\x28\x02\x00\x1a\x0b"), "needs a memory"},
		{"memory.size without memory", withBody("\x00\x3f\x00\x1a\x0b"), "needs a memory"},
		{"data segment", mod(fn, sec(5, 1, "\x00\x01"), raw(12, "\x00"), sec(10, 1, "\x0c\x00\x41\x00\x41\x00\x41\x00\xfc\x08\x00\x00\x0b")), "data segment 0 is out of range"},
		{"missing body", mod(fn), "1 functions are declared but 0 have a body"},
		{"data without memory", mod(fn, body, sec(11, 1, "\x00\x41\x00\x0b\x00")), "an active data segment needs a memory"},
	} {
		_, err := Relocate([]byte(c.binary), 16, Limits{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// FuzzRelocate: nothing panics, and what comes out is decoded again.
func FuzzRelocate(f *testing.F) {
	seed, err := os.ReadFile("../testdata/nested/all.wasm")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	may := func(string, string, []byte, []byte) error { return nil }
	f.Fuzz(func(t *testing.T, binary []byte) {
		re, err := Relocate(binary, 16, Limits{})
		if err != nil {
			return
		}
		if _, err := decode(re.Binary, &Options{MaxPages: 16, MayImport: may}); err != nil && !strings.Contains(err.Msg, "limit") {
			t.Errorf("relocated, it cannot be decoded: %v", err)
		}
	})
}
