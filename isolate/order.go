package isolate

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"

	"github.com/tetratelabs/wazero"

	"switchyard/isolate/wasm"
)

// rewriteHere is the size of the largest module that this process rewrites by itself: at the 35 ns
// that a byte takes, 35 ms. Larger ones are rewritten where they are compiled, under the budget.
const rewriteHere = 1 << 20

// order is what a compiler's process is asked for: the native code of a module, which is to be
// rewritten first or has been.
type order struct {
	Module   []byte
	Rewrite  bool
	Rules    string // importRules.name
	MaxPages uint32
	MaxDepth uint32
}

// product is what it answers. What is wrong with the module is told as an answer: whatever else
// ends the process is not the module's fault.
type product struct {
	Refused   string // "": the rest is there
	Rewritten *wasm.Rewritten
	Code      nativeCode
}

func (k *moduleKey) options(rules importRules) wasm.Options {
	return wasm.Options{MaxPages: uint32((k.memory + wasmPage - 1) / wasmPage), MaxDepth: k.depth, MayImport: rules.may, Landlord: rules.nested}
}

// orderedRules are those of a name that customers' modules are compiled under.
func orderedRules(name string) importRules {
	for _, rules := range []importRules{guestRules, nestedRules} {
		if rules.name == name {
			return rules
		}
	}
	panic(fmt.Sprintf("BUG: import rules %q are ordered", name))
}

// fill makes what is ordered, in the compiler's process.
func (o *order) fill() *product {
	p := new(product)
	if o.Rewrite {
		rules := orderedRules(o.Rules)
		re, err := wasm.Rewrite(o.Module, wasm.Options{MaxPages: o.MaxPages, MaxDepth: o.MaxDepth, MayImport: rules.may, Landlord: rules.nested})
		if err != nil {
			return &product{Refused: err.Error()}
		}
		p.Rewritten, o.Module = re, re.Binary
	}
	codes, cache := newNativeCache()
	codes.compiles.Store(true)
	rt := wazero.NewRuntimeWithConfig(context.Background(), runtimeConfig(maxMemory).WithCompilationCache(cache))
	if _, err := rt.CompileModule(compileContext(), o.Module); err != nil {
		return &product{Refused: fmt.Sprintf("wasm module does not validate: %v", err)}
	}
	p.Code = codes.take()
	return p // the process ends soon: nothing is given back
}

// CompileStdin is what a Compiler's process does: it reads an order to its end and writes the
// product. The error is for people.
func CompileStdin(in io.Reader, out io.Writer) error {
	o := new(order)
	if err := gob.NewDecoder(in).Decode(o); err != nil {
		return err
	}
	return gob.NewEncoder(out).Encode(o.fill())
}

func (o *order) encode() []byte {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(o); err != nil {
		panic("BUG: an order cannot be encoded: " + err.Error())
	}
	return b.Bytes()
}

// decodeProduct also checks that what must be there is.
func decodeProduct(encoded []byte, rewritten bool) (*product, error) {
	p := new(product)
	if err := gob.NewDecoder(bytes.NewReader(encoded)).Decode(p); err != nil {
		return nil, fmt.Errorf("compiled wasm module: %w", errNoCode)
	}
	switch {
	case p.Refused != "":
		return nil, &refusedModule{p.Refused}
	case rewritten && p.Rewritten == nil:
		return nil, fmt.Errorf("compiled wasm module: %w", errNoCode)
	}
	return p, nil
}

// translateAside has a module rewritten and compiled by a process, unless both are kept. What is
// left to do here is to decode and validate the outcome, of which the same was possible within the budget.
func (rt *Runtime) translateAside(ctx context.Context, key moduleKey, binary []byte, rules importRules) (*wasm.Rewritten, wazero.CompiledModule, error) {
	name := key.wholeName()
	if kept, ok := rt.options.Derived.Get(name); ok {
		if p, c, err := rt.loadProduct(kept); err == nil {
			return p, c, nil
		}
	}
	o := key.options(rules)
	made, err := rt.compiler.run(ctx, &order{Module: binary, Rewrite: true, Rules: rules.name, MaxPages: o.MaxPages, MaxDepth: o.MaxDepth})
	if err != nil {
		return nil, nil, err
	}
	re, c, err := rt.loadProduct(made)
	if err == nil {
		rt.options.Derived.Put(name, made)
	}
	return re, c, err
}

func (rt *Runtime) loadProduct(encoded []byte) (*wasm.Rewritten, wazero.CompiledModule, error) {
	p, err := decodeProduct(encoded, true)
	if err != nil {
		return nil, nil, err
	}
	c, err := rt.load(p.Rewritten.Binary, p.Code)
	if err != nil {
		return nil, nil, fmt.Errorf("compiled wasm module: %w", err)
	}
	return p.Rewritten, c, nil
}

// compileAside has a rewritten module compiled in a process of its own.
func (rt *Runtime) compileAside(ctx context.Context, rewritten []byte) (wazero.CompiledModule, nativeCode, error) {
	made, err := rt.compiler.run(ctx, &order{Module: rewritten})
	if err != nil {
		return nil, nil, err
	}
	p, err := decodeProduct(made, false)
	if err != nil {
		return nil, nil, err
	}
	c, err := rt.load(rewritten, p.Code)
	if err != nil {
		return nil, nil, fmt.Errorf("compiled wasm module: %w", err)
	}
	return c, p.Code, nil
}

var errNoMemory = errors.New("wasm module has no memory of its own")
