package isolate

import (
	"fmt"
	"strings"
	"time"

	"switchyard/isolate/js"
)

// ModuleKind says what an uploaded module is.
type ModuleKind int

const (
	ModuleES   ModuleKind = iota // ES module
	ModuleJS                     // classic script in service-worker syntax
	ModuleWasm                   // wasm; as the main module it is the Worker itself
	ModuleText                   // default export is a string
	ModuleData                   // default export is an ArrayBuffer
	ModuleJSON                   // default export is the parsed value
	ModuleMap                    // source map: kept, never run
)

// Module is one uploaded file.
type Module struct {
	Name   string // as imported, without a leading "./"; may contain slashes
	Kind   ModuleKind
	Source []byte
}

// Policy says what an isolate keeps from one request to the next.
type Policy int

const (
	PolicyReuse   Policy = iota // Workers semantics: module state stays, and requests that wait share an isolate
	PolicyRequest               // every request starts from the snapshot, and has an isolate to itself
)

// NodeCompat says what of Node a version is given.
type NodeCompat int

const (
	NodeNone    NodeCompat = iota
	NodeALS                // the module async_hooks
	NodeModules            // all modules that there are
	NodeGlobals            // Buffer, process, global and setImmediate as well
)

// source returns the text of a module, named with or without "node:"; nil: there is none.
func (n NodeCompat) source(name string) []byte {
	full := name
	if !strings.HasPrefix(name, "node:") {
		full = "node:" + name
	}
	if n == NodeNone || n == NodeALS && full != "node:async_hooks" {
		return nil
	}
	source := js.NodeSource(full)
	if source != nil && full != name { // one module, whichever name it is imported by
		source = fmt.Appendf(nil, "export*from%q;export{default}from%[1]q", full)
	}
	return source
}

// Spec describes one version to make a Pool from.
type Spec struct {
	Name    string // for stacks and logs: namespace/script
	Main    string // name of the main module
	Modules []Module
	// Frozen is what Pool.Freeze made of this version when it was evaluated. A Pool made from it
	// needs no Modules. Default: nil, the Worker is evaluated.
	Frozen []byte
	// Env is a JSON array, one object a binding, which builds the guest's env:
	//   {"name":"GREETING","type":"plain_text","text":"hi"}   also secret_text
	//   {"name":"CONFIG","type":"json","json":{…}}
	//   {"name":"DISPATCHER","type":"dispatch_namespace","index":0}
	//   {"name":"AUTH","type":"service","index":1}
	//   {"name":"LIMITER","type":"ratelimit","index":2}       and whatever else the prelude knows
	// index is Subrequest.Binding when the guest uses it.
	Env []byte
	// Node is what of Node the Worker may import, and finds in its global scope. Default: nothing.
	Node NodeCompat

	Policy      Policy
	Memory      int64         // bytes; 0: 128 MiB
	StartupCPU  time.Duration // of evaluating the Worker; 0: 400 ms
	MaxIsolates int           // 0: 64
	Suspended   int           // requests that may wait in one JavaScript isolate at once; 0: 8
}
