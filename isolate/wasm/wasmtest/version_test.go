package wasmtest

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"

	"switchyard/isolate/wasm"
)

// ofVersion is what Version made of modules with a bit of everything.
var ofVersion = map[int]string{
	2: "514b7fcec5a5b2dd",
}

// TestVersion: when this fails, wasm.Version must be raised and the new outcome recorded, or what
// servers keep of the version before would be taken for this one's.
func TestVersion(t *testing.T) {
	hash := sha256.New()
	add := func(build func(*builder)) {
		m := &builder{memory: []uint32{1, 4}}
		build(m)
		re, err := wasm.Rewrite(m.binary(), wasm.Options{MaxPages: 16, MayImport: anyImport})
		fmt.Fprintf(hash, "%+v %v\n", re, err)
	}
	for _, set := range []map[string]func(*builder){runaways, recursions} {
		for _, name := range slices.Sorted(maps.Keys(set)) {
			add(set[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		add(func(m *builder) { shapes[name](m, 30) })
	}
	if got := fmt.Sprintf("%x", hash.Sum(nil)[:8]); got != ofVersion[wasm.Version] {
		t.Errorf("version %d made %q of the modules, now it is %q", wasm.Version, ofVersion[wasm.Version], got)
	}
}
