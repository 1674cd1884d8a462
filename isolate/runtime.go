// Package isolate runs guest code: it compiles modules so that they can be metered and
// stopped, takes a snapshot of each Worker once it has started, and runs every request in a
// clone of it. It knows wasm and memory; tenants, sockets and disks it does not know.
package isolate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"switchyard/isolate/wasm"
)

// Options configure a Runtime. The zero value means the defaults.
type Options struct {
	Engine  []byte // the JavaScript engine, js.Engine(). Default: no JavaScript Workers
	Prelude string // its standard library, js.Prelude()

	// Derived keeps native code from one start to the next. Default: nothing is kept.
	Derived Derived
	// Compiler compiles wasm Workers. Default: this process does, which a module can keep busy
	// for minutes: for tests and tools.
	Compiler Compiler

	Memory      int64         // bytes of guest memory an isolate may have. Default: 128 MiB
	MaxIsolates int           // isolates of one version. Default: 64
	WarmMemory  int64         // bytes that isolates and snapshots may take together before idle ones go. Default: 1 GiB
	Suspended   int           // requests that wait in one JavaScript isolate at once. Default: 8
	StartupCPU  time.Duration // CPU time of evaluating a Worker. Default: 400 ms
	WaitUntil   time.Duration // that work under waitUntil may take after the response. Default: 30 s
	Logger      *slog.Logger  // Default: slog.Default()

	reset resetMethod // a test's
	most  int64       // isolates; a test's
	slice func(bool)  // a test's: a slice of a guest's begins, or it ends
}

func (o Options) withDefaults() Options {
	if o.Memory == 0 {
		o.Memory = defaultHeap
	}
	if o.MaxIsolates == 0 {
		o.MaxIsolates = 64
	}
	if o.WarmMemory == 0 {
		o.WarmMemory = 1 << 30
	}
	if o.Suspended == 0 {
		o.Suspended = 8
	}
	if o.StartupCPU == 0 {
		o.StartupCPU = 400 * time.Millisecond
	}
	if o.WaitUntil == 0 {
		o.WaitUntil = 30 * time.Second
	}
	if o.Derived == nil {
		o.Derived = noDerived{}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Compiler = o.Compiler.withDefaults()
	return o
}

// Runtime compiles modules and makes Pools. There is one a process: code is compiled in the
// wazero runtime that instantiates it.
type Runtime struct {
	options Options
	wazero  wazero.Runtime
	lane    *lane
	deep    *lane   // tokens of calls with large stacks; see depth.go
	js      *engine // nil without JavaScript
	reset   resetMethod
	slabs   slabs
	warm    *warmSet

	codes     *nativeCache
	cache     wazero.CompilationCache // of codes; it owns the native code that is in use
	compiler  *compiler
	compiling sync.Mutex // in this process
	modules   struct {
		sync.Mutex
		byKey  map[moduleKey]*module
		making sync.WaitGroup // goroutines that make modules; Close waits for them
	}
}

// NewRuntime prepares the process for guests; with an engine that takes about half a second.
func NewRuntime(o Options) (*Runtime, error) {
	o = o.withDefaults()
	if o.Memory < wasmPage || o.Memory > maxMemory {
		return nil, fmt.Errorf("isolate: Options.Memory is %d, which is not between 64 KiB and 4 GiB", o.Memory)
	}
	if o.MaxIsolates < 0 || o.Suspended < 0 || o.StartupCPU < 0 || o.WaitUntil < 0 || o.WarmMemory < 0 {
		return nil, errors.New("isolate: a limit of the Options is negative")
	}
	rt := &Runtime{options: o, lane: newLane(), deep: newDeep(), compiler: newCompiler(o.Compiler, o.Logger)}
	rt.warm = newWarmSet(rt)
	rt.modules.byKey = map[moduleKey]*module{}
	rt.codes, rt.cache = newNativeCache()
	rt.codes.compiles.Store(true) // until the engine, which is ours, is there
	rt.wazero = wazero.NewRuntimeWithConfig(context.Background(),
		runtimeConfig(max(o.Memory, defaultHeap)).WithCompilationCache(rt.cache))
	if err := rt.hostModules(); err != nil {
		rt.Close()
		return nil, fmt.Errorf("host modules: %w", err)
	}
	rt.chooseReset()
	if len(o.Engine) > 0 {
		if err := rt.startEngine(); err != nil {
			rt.Close()
			return nil, fmt.Errorf("JavaScript engine: %w", err)
		}
	}
	rt.codes.compiles.Store(!rt.compiler.there())
	return rt, nil
}

// Close gives everything back. Every Pool must have been closed.
func (rt *Runtime) Close() error {
	rt.warm.close()
	if rt.js != nil {
		rt.js.base.close()
		rt.js.module.close()
		rt.js = nil
	}
	rt.modules.making.Wait()
	ctx := context.Background()
	return errors.Join(rt.wazero.Close(ctx), rt.cache.Close(ctx))
}

// runtimeConfig is what native code is made for and run by.
func runtimeConfig(memory int64) wazero.RuntimeConfig {
	return wazero.NewRuntimeConfigCompiler().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithDebugInfoEnabled(false).
		WithMemoryLimitPages(uint32(memory / wasmPage))
}

// chooseReset says in the log how isolates are reset, with the reason where it is not the best way.
func (rt *Runtime) chooseReset() {
	best, err := bestReset()
	if rt.reset = rt.options.reset; rt.reset == resetBest {
		rt.reset = best
	}
	if err != nil {
		rt.options.Logger.Warn("isolate: isolates are reset slowly here", "method", rt.reset.String(), "reason", err)
		return
	}
	rt.options.Logger.Debug("isolate: how isolates are reset", "method", rt.reset.String())
}

// hostFunction is one function that guests can import. Its i32 arguments carry garbage in
// their high halves.
type hostFunction struct {
	module, name    string
	params, results []byte
	fn              api.GoModuleFunc
}

// hostModules instantiates what guests import.
func (rt *Runtime) hostModules() error {
	ctx := context.Background()
	wasi := rt.wazero.NewHostModuleBuilder(wasi_snapshot_preview1.ModuleName)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(wasi)
	builders := map[string]wazero.HostModuleBuilder{wasi_snapshot_preview1.ModuleName: wasi}
	functions := []hostFunction{
		{wasm.MeterModule, wasm.MeterYield, nil, nil, yield},
		{wasm.MeterModule, wasm.MeterDeep, nil, nil, deep},
	}
	functions = append(functions, engineFunctions()...)
	functions = append(functions, guestFunctions()...)
	functions = append(functions, wasiFunctions()...)
	functions = append(functions, nestedFunctions()...)
	for _, f := range functions {
		b := builders[f.module]
		if b == nil {
			b = rt.wazero.NewHostModuleBuilder(f.module)
			builders[f.module] = b
		}
		b.NewFunctionBuilder().WithGoModuleFunction(contained(f.fn), f.params, f.results).Export(f.name)
	}
	for name, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// errNoJavaScript is what a Worker in JavaScript gets from a Runtime without an engine.
var errNoJavaScript = errors.New("this server was built without its JavaScript engine: run make engine")
