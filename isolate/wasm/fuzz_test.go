package wasm

import "testing"

// FuzzRewrite: whatever the bytes, Rewrite returns. Package wasmtest has the one that hands
// what is accepted to the engine.
func FuzzRewrite(f *testing.F) {
	f.Add([]byte(mod()))
	f.Add([]byte(withBody("\x00\x03\x40\x0c\x00\x0b\x0b")))
	f.Add([]byte(deepChain(3)))
	f.Add([]byte(longCycle(3)))
	f.Fuzz(func(t *testing.T, binary []byte) {
		re, err := Rewrite(binary, Options{MaxPages: 16, MayImport: func(string, string, []byte, []byte) error { return nil }})
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Offset < 0 || e.Offset > len(binary) {
				t.Errorf("error %#v of %d bytes", err, len(binary))
			}
			return
		}
		// Our names are refused to guests, so what was rewritten cannot be rewritten again.
		if _, err := Rewrite(re.Binary, Options{MaxPages: 16, MayImport: func(string, string, []byte, []byte) error { return nil }}); err == nil {
			t.Error("a rewritten module was rewritten")
		}
	})
}
