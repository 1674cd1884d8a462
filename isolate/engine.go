package isolate

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero/api"

	"switchyard/isolate/js"
)

// engine is the JavaScript engine, compiled once, and its base: the snapshot of an isolate in
// which the engine and the prelude have started but no tenant's code has run. Every JavaScript
// version begins as a clone of it.
type engine struct {
	module *module
	base   *snapshot
	hash   struct { // identity
		once sync.Once
		sum  []byte
	}
}

// heapReserve is what the engine keeps below the linear memory's limit: when that is reached
// first, an allocation fails in the middle of an exception and throws null.
const heapReserve = 8 << 20

// startEngine compiles the engine and takes the base snapshot.
func (rt *Runtime) startEngine() error {
	if rt.options.Memory < 2*heapReserve {
		return fmt.Errorf("it needs at least %d MiB of memory", 2*heapReserve>>20)
	}
	may := func(module, name string, _, _ []byte) error {
		if module == js.ImportModule && name == js.ImportName {
			return nil
		}
		return errors.New("the engine must not import it")
	}
	m, err := rt.compile(context.Background(), rt.options.Engine, rt.options.Memory, engineDepth, importRules{name: "engine", may: may})
	if err != nil {
		return err
	}
	is, err := rt.newIsolate(m, nil, js.Export)
	if err != nil {
		return err
	}
	defer is.close()
	c := new(Call)
	c.begin(nil)
	if err := is.startModule(c); err != nil {
		return err
	}
	if err := is.initEngine(c, rt.options.Prelude, uint32(rt.options.Memory-heapReserve)); err != nil {
		return err
	}
	base, err := is.capture(js.Export, nil)
	if err != nil {
		return err
	}
	rt.js = &engine{module: m, base: base}
	rt.warm.prepare()
	return nil
}

// startModule runs what a freshly instantiated module has to run once.
func (is *Isolate) startModule(c *Call) error {
	if start := is.module.rewritten.Start; start != "" {
		if err := is.run(c, start); err != nil {
			return fmt.Errorf("start function: %w", err)
		}
	}
	if err := is.run(c, "_initialize"); err != nil {
		return fmt.Errorf("_initialize: %w", err)
	}
	return nil
}

// initEngine runs INIT with the prelude.
func (is *Isolate) initEngine(c *Call, prelude string, heap uint32) error {
	r, err := is.enter(c, uint32(js.OpIO), 0, 0, 0)
	if err != nil {
		return err
	}
	is.io = uint32(r)
	if is.bytesAt(is.io, js.IOBytes) == nil {
		return errors.New("its I/O buffer is out of bounds")
	}
	ptr, err := is.place(c, []byte(prelude))
	if err != nil {
		return err
	}
	if r, err = is.enter(c, uint32(js.OpInit), ptr, uint32(len(prelude)), heap); err != nil {
		return err
	}
	if r == js.Failed {
		return fmt.Errorf("prelude: %s", is.text())
	}
	return is.unplace(c, ptr)
}

// place copies data into memory that the engine allocates; unplace frees it.
func (is *Isolate) place(c *Call, data []byte) (uint32, error) {
	ptr, err := is.alloc(c, uint32(len(data)))
	if err == nil {
		copy(is.bytesAt(ptr, uint32(len(data))), data)
	}
	return ptr, err
}

func (is *Isolate) alloc(c *Call, n uint32) (uint32, error) {
	r, err := is.enter(c, uint32(js.OpAlloc), n, 0, 0)
	if err != nil {
		return 0, err
	}
	if r == 0 || is.bytesAt(uint32(r), n) == nil {
		return 0, ErrMemoryLimit
	}
	return uint32(r), nil
}

func (is *Isolate) unplace(c *Call, ptr uint32) error {
	_, err := is.enter(c, uint32(js.OpFree), ptr, 0, 0)
	return err
}

// text is what the engine left in the I/O buffer beside a Failed.
func (is *Isolate) text() string {
	n := min(is.word(is.io), js.MaxText)
	return string(is.bytesAt(is.io+4, n))
}

// setText leaves a text for the guest, beside a Refused.
func (is *Isolate) setText(text string) {
	b := is.bytesAt(is.io, 4+uint32(min(len(text), js.MaxText)))
	putWord(b, 0, uint32(copy(b[4:], text)))
}

// engineFunctions is what the engine imports: the host's one function.
func engineFunctions() []hostFunction {
	i32 := api.ValueTypeI32
	return []hostFunction{{
		js.ImportModule, js.ImportName, []byte{i32, i32, i32, i32, i32}, []byte{i32}, hostEntry,
	}}
}
