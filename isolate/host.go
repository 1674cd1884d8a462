package isolate

import (
	"context"

	"switchyard/isolate/abi"
)

// Host is what a guest can reach of the world. The engine implements it; every method may be
// called from several goroutines at once, for one call too.
type Host interface {
	// Fetch performs one subrequest of c and returns when the response head is there. It owns
	// sub.Request. The error's message is what the guest catches. The subrequest limit has been
	// charged already. ctx ends with the call.
	Fetch(ctx context.Context, c *Call, sub *Subrequest) (*Response, error)

	// Log takes one console line of c. It must not keep line.
	Log(c *Call, level LogLevel, line []byte)
}

// Subrequest is a guest's fetch, through a binding or on its own. It is valid until Fetch
// returns.
type Subrequest struct {
	Request *Request
	Binding int      // index into the version's bindings, FetchGlobal or FetchCache
	Name    string   // dispatch_namespace: the script asked for
	Options []byte   // dispatch_namespace: JSON {"args":…,"limits":…,"outbound":…}; nil when not given
	Kind    CallKind // CallFetch or CallRPC
	// Redirect is the request's redirect mode: "follow", "manual" or "error".
	Redirect string
}

// Values of Binding that name no binding.
const (
	FetchGlobal = abi.BindingGlobal // a plain fetch()
	// FetchCache is a call of the Cache API. Name is the cache's, "" the default one; Options is JSON
	// {"op":"match"|"put"|"delete","status":…}, the request's URL the key. What is put has the response's headers and
	// body in the request. The answer's cf-cache-status is HIT or MISS.
	FetchCache = abi.BindingCache
)

// LogLevel orders console methods.
type LogLevel int

const (
	LogDebug LogLevel = iota
	LogInfo
	LogWarn
	LogError
	LogLog // console.log; of the rank of LogInfo
)
