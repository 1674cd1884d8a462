package isolate

import "context"

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
	Binding int    // index into the version's bindings; FetchGlobal for a plain fetch()
	Name    string // dispatch_namespace: the script asked for
	Options []byte // dispatch_namespace: JSON {"args":…,"limits":…,"outbound":…}; nil when not given
	// Redirect is the request's redirect mode: "follow", "manual" or "error".
	Redirect string
}

// FetchGlobal is the Binding of a fetch() that names no binding.
const FetchGlobal = -1

// LogLevel orders console methods.
type LogLevel int

const (
	LogDebug LogLevel = iota
	LogInfo
	LogWarn
	LogError
)
