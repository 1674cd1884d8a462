package isolate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/tetratelabs/wazero"
)

// nativeKey is what wazero calls a module's native code by: a hash of the rewritten module and
// of the features of this CPU.
type nativeKey = [32]byte

// nativeCode is what wazero made of a rewritten module: its key, then wazero's own format, which
// names wazero's version. wazero runs it as it is, so it must come from a compilation of ours.
//
//	┌───────────┬────────────────────────────────────────────────┐
//	│ nativeKey │ version, function offsets, machine code, CRC   │
//	│    32     │                                                │
//	└───────────┴────────────────────────────────────────────────┘
type nativeCode []byte

// key reports the key, if there is one.
func (c nativeCode) key() (k nativeKey, ok bool) {
	return k, copy(k[:], c) == len(k)
}

// nativeCache stands where wazero looks for native code before it compiles and puts it after.
// wazero asks by key, from inside CompileModule; who wants code used offers it before.
//
// wazero's own cache is a directory. It would have to be trusted as it is, and on a miss wazero
// compiles in the process, which a tenant's module must never be.
type nativeCache struct {
	compiles atomic.Bool // on a miss wazero compiles here; else CompileModule fails with errNoCode
	mu       struct {
		sync.Mutex
		offered map[nativeKey]nativeCode
		made    nativeCode // by the compilation that ended last
	}
}

// errNoCode is what CompileModule ends with instead of compiling.
var errNoCode = errors.New("no native code is at hand")

// newNativeCache also returns it as what a wazero.RuntimeConfig takes. wazero has an interface
// for such caches but no way to set one from outside; a wazero without that field ends the
// process here.
func newNativeCache() (*nativeCache, wazero.CompilationCache) {
	n := new(nativeCache)
	n.mu.offered = map[nativeKey]nativeCode{}
	c := wazero.NewCompilationCache()
	field := reflect.ValueOf(c).Elem().FieldByName("fileCache")
	if !field.IsValid() || !reflect.TypeOf(n).Implements(field.Type()) {
		panic("BUG: this version of wazero keeps native code in another way")
	}
	reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(n))
	return n, c
}

// Get implements wazero's filecache.Cache.
func (n *nativeCache) Get(key nativeKey) (io.ReadCloser, bool, error) {
	n.mu.Lock()
	code, ok := n.mu.offered[key]
	n.mu.Unlock()
	switch {
	case ok:
		return io.NopCloser(bytes.NewReader(code[len(key):])), true, nil
	case n.compiles.Load():
		return nil, false, nil
	}
	return nil, false, errNoCode
}

// Add implements wazero's filecache.Cache.
func (n *nativeCache) Add(key nativeKey, content io.Reader) error {
	code := bytes.NewBuffer(key[:])
	if _, err := code.ReadFrom(content); err != nil {
		return err
	}
	n.mu.Lock()
	n.mu.made = code.Bytes()
	n.mu.Unlock()
	return nil
}

// Delete implements wazero's filecache.Cache: the code that was offered is another version's.
func (n *nativeCache) Delete(nativeKey) error {
	return fmt.Errorf("%w: it is of another version of wazero", errNoCode)
}

// offer lets wazero find code until withdraw.
func (n *nativeCache) offer(code nativeCode) (withdraw func()) {
	key, ok := code.key()
	if !ok {
		return func() {}
	}
	n.mu.Lock()
	n.mu.offered[key] = code
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		delete(n.mu.offered, key)
		n.mu.Unlock()
	}
}

// take returns what the last compilation made, once; nil when nothing had to be compiled.
func (n *nativeCache) take() nativeCode {
	n.mu.Lock()
	defer n.mu.Unlock()
	code := n.mu.made
	n.mu.made = nil
	return code
}
