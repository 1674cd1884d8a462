package wasmtest

import (
	"context"
	"errors"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"switchyard/isolate/wasm"
)

var (
	errKilled = errors.New("killed")
	errDeep   = errors.New("too deep")
)

// engine is a runtime whose guests are metered: yield refills slice, until kill yields have
// been made.
type engine struct {
	wazero.Runtime
	slice  uint64
	yields int
	kill   int // end the guest at this yield; 0: never
}

func newEngine(t testing.TB, slice uint64) *engine {
	t.Helper()
	ctx := context.Background()
	e := &engine{Runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(maxPages)), slice: slice}
	t.Cleanup(func() { e.Close(ctx) })
	yield := func(_ context.Context, m api.Module, _ []uint64) {
		e.yields++
		if e.kill != 0 && e.yields >= e.kill {
			panic(errKilled)
		}
		m.ExportedGlobal(wasm.Prefix + "fuel").(api.MutableGlobal).Set(e.slice)
	}
	deep := func(context.Context, api.Module, []uint64) { panic(errDeep) }
	_, err := e.NewHostModuleBuilder(wasm.MeterModule).
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(yield), nil, nil).Export(wasm.MeterYield).
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(deep), nil, nil).Export(wasm.MeterDeep).
		Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// maxPages is the memory that test guests may have: 64 MiB.
const maxPages = 1024

// guest is an instance of a rewritten module.
type guest struct {
	api.Module
	re *wasm.Rewritten
	e  *engine
}

// start instantiates re as the host does: data, fuel, start function.
func (e *engine) start(re *wasm.Rewritten, name string) (*guest, error) {
	ctx := context.Background()
	compiled, err := e.CompileModule(ctx, re.Binary)
	if err != nil {
		return nil, err
	}
	m, err := e.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName(name).WithStartFunctions())
	if err != nil {
		return nil, err
	}
	g := &guest{m, re, e}
	for _, d := range re.Data {
		if !m.Memory().Write(d.Offset, d.Bytes) {
			return nil, errors.New("data segment out of bounds")
		}
	}
	g.fuel().Set(e.slice)
	if re.Start != "" {
		_, err = m.ExportedFunction(re.Start).Call(ctx)
	}
	return g, err
}

func (g *guest) fuel() api.MutableGlobal { return g.global(g.re.Fuel) }

func (g *guest) global(name string) api.MutableGlobal {
	return g.ExportedGlobal(name).(api.MutableGlobal)
}

// call runs an exported function with a full slice and forgets former yields.
func (g *guest) call(name string, args ...uint64) ([]uint64, error) {
	g.e.yields = 0
	g.fuel().Set(g.e.slice)
	return g.ExportedFunction(name).Call(context.Background(), args...)
}

func anyImport(string, string, []byte, []byte) error { return nil }
