// Command wasm serves Hello from a wasm guest behind fasthttp, the ways that one would write in an afternoon:
// the peers of wasm-hello, wasm-hello-reset and wasm-go-hello. Nothing meters the guests, ends them or
// keeps tenants apart.
//
//	wasm wazero-pooled FILE     a sync.Pool of instances, reused with what they remember
//	wasm wazero-instance FILE   an instance a request: fresh state
//	wasm extism FILE            Extism's Go SDK, a pool of plugin instances
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/valyala/fasthttp"
)

// answer writes the guest's answer to one request.
type answer func(ctx *fasthttp.RequestCtx) error

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "wasm:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: wasm wazero-pooled|wazero-instance|extism FILE")
	}
	guest, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	var a answer
	switch args[0] {
	case "wazero-pooled":
		a, err = pooled(guest)
	case "wazero-instance":
		a, err = instance(guest)
	case "extism":
		a, err = plugin(guest)
	default:
		err = fmt.Errorf("there is no way called %q", args[0])
	}
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("ready %s\n", ln.Addr())
	server := &fasthttp.Server{NoDefaultServerHeader: true, Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("text/plain")
		if err := a(ctx); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusInternalServerError)
		}
	}}
	return server.Serve(ln)
}

// maker returns what makes instances of guest.
func maker(guest []byte) (func() (api.Module, error), error) {
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, err
	}
	compiled, err := r.CompileModule(ctx, guest)
	if err != nil {
		return nil, err
	}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	return func() (api.Module, error) { return r.InstantiateModule(ctx, compiled, config) }, nil
}

func call(m api.Module, ctx *fasthttp.RequestCtx) error {
	results, err := m.ExportedFunction("handle").Call(context.Background())
	if err != nil {
		return err
	}
	text, ok := m.Memory().Read(uint32(results[0]>>32), uint32(results[0]))
	if !ok {
		return errors.New("the answer is outside of memory")
	}
	ctx.SetBody(text)
	return nil
}

func pooled(guest []byte) (answer, error) {
	fresh, err := maker(guest)
	if err != nil {
		return nil, err
	}
	var pool sync.Pool
	return func(ctx *fasthttp.RequestCtx) error {
		m, _ := pool.Get().(api.Module)
		if m == nil {
			var err error
			if m, err = fresh(); err != nil {
				return err
			}
		}
		defer pool.Put(m)
		return call(m, ctx)
	}, nil
}

func instance(guest []byte) (answer, error) {
	fresh, err := maker(guest)
	if err != nil {
		return nil, err
	}
	return func(ctx *fasthttp.RequestCtx) error {
		m, err := fresh()
		if err != nil {
			return err
		}
		defer m.Close(context.Background())
		return call(m, ctx)
	}, nil
}

func plugin(guest []byte) (answer, error) {
	manifest := extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: guest}}}
	compiled, err := extism.NewCompiledPlugin(context.Background(), manifest, extism.PluginConfig{}, nil)
	if err != nil {
		return nil, err
	}
	var pool sync.Pool
	return func(ctx *fasthttp.RequestCtx) error {
		p, _ := pool.Get().(*extism.Plugin)
		if p == nil {
			var err error
			if p, err = compiled.Instance(context.Background(), extism.PluginInstanceConfig{}); err != nil {
				return err
			}
		}
		defer pool.Put(p)
		_, text, err := p.Call("handle", nil)
		if err != nil {
			return err
		}
		ctx.SetBody(text)
		return nil
	}, nil
}
