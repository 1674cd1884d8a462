package isolate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"switchyard/isolate/abi"
	"switchyard/isolate/wasm"
)

// startWasm compiles a wasm Worker, initialises it once and takes the snapshot that its calls
// will run in.
func (p *Pool) startWasm(ctx context.Context, main *Module) error {
	g := &wasmGuest{pool: p}
	p.guest = g
	var err error
	if g.env, err = parseEnv(p.spec.Env); err != nil {
		return &StartupError{Message: err.Error()}
	}
	if p.module, err = p.rt.compile(ctx, main.Source, p.spec.Memory, guestDepth, guestRules); err != nil {
		return compileError(main.Name, err)
	}
	if err = g.begin(main.Name); err != nil {
		p.module.close()
		return err
	}
	p.onClose = p.module.close
	return nil
}

// begin checks the exports, runs what runs once, and captures.
func (g *wasmGuest) begin(name string) error {
	p := g.pool
	if err := checkExports(p.module.rewritten.Exports); err != nil {
		return &StartupError{Module: name, Message: err.Error()}
	}
	g.streams = p.module.imports(abi.Module, "response_start")
	is, err := p.rt.newIsolate(p.module, nil, abi.ExportHandle)
	if err != nil {
		return startupError(name, err)
	}
	defer is.close()
	c := &Call{Limits: Limits{CPU: p.spec.StartupCPU, LogBytes: startupLog}, Host: startupHost{p.rt.options.Logger, p.spec.Name}}
	c.begin(p)
	err = is.startModule(c)
	is.log.flush(c)
	if err != nil {
		return startupError(name, g.outOfMemory(is, err))
	}
	if is.dirty != nil && is.dirty.Get() != 0 {
		return &StartupError{Module: name, Message: "it changes its tables or segments while it starts, which a snapshot cannot keep"}
	}
	p.info.Startup, p.info.HandlesFetch = c.state.usage.CPU, true
	p.snapshot, err = is.capture(abi.ExportHandle, nil)
	return err
}

var guestRules = importRules{name: "guest", may: guestMayImport}

// guestMayImport lets a Worker import the contract and WASI, with their own types.
func guestMayImport(module, name string, params, results []byte) error {
	f, ok := abi.Import(module, name)
	if !ok {
		return fmt.Errorf("there is no function %q to import from %q (a Worker may import from %q and %q)",
			name, module, abi.Module, abi.WASIModule)
	}
	if !f.Matches(params, results) {
		return fmt.Errorf("function %q of %q has type %s", name, module, f.Signature())
	}
	return nil
}

func checkExports(list []wasm.Export) error {
	var memory, handle bool
	for _, e := range list {
		memory = memory || e.Name == abi.ExportMemory && e.Kind == wasm.KindMemory
		f, known := abi.Export(e.Name)
		if !known {
			continue
		}
		if e.Kind != wasm.KindFunction || !f.Matches(e.Params, e.Results) {
			return fmt.Errorf("the export %q is not a function of type %s", e.Name, f.Signature())
		}
		handle = handle || e.Name == abi.ExportHandle
	}
	switch {
	case !handle:
		return fmt.Errorf("it does not export the function %q of type (i32) -> ()", abi.ExportHandle)
	case !memory:
		return fmt.Errorf("it does not export its memory as %q", abi.ExportMemory)
	}
	return nil
}

// imports reports whether the guest imports a function of this name.
func (m *module) imports(module, name string) bool {
	for _, i := range m.rewritten.Imports {
		if i.Module == module && i.Name == name {
			return true
		}
	}
	return false
}

// startupLog bounds what a Worker may log at module scope.
const startupLog = 64 << 10

// startupHost is the world at module scope: a log for the operator, and nothing else.
type startupHost struct {
	logger *slog.Logger
	worker string
}

func (startupHost) Fetch(context.Context, *Call, *Subrequest) (*Response, error) {
	return nil, errors.New("no I/O is possible at module scope")
}

func (h startupHost) Log(_ *Call, _ LogLevel, line []byte) {
	h.logger.Info("isolate: at module scope", "worker", h.worker, "line", string(line))
}
