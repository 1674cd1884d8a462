package isolate

import (
	"context"
	"testing"
	"time"
)

// city is a Host whose dispatch namespace has one user Worker, as the engine has many.
type city struct {
	world
	customer *Pool
	path     string // what the user Worker is asked
}

func (h *city) Fetch(ctx context.Context, c *Call, sub *Subrequest) (*Response, error) {
	if sub.Binding != 0 {
		return h.world.Fetch(ctx, c, sub)
	}
	sub.Request.Release()
	return h.customer.Invoke(&Call{
		Context: ctx, Host: &h.world, Limits: Limits{CPU: 20 * time.Millisecond},
		Request: wasmRequest("GET", h.path, Body{}),
	})
}

// TestWasmDispatchesToWasm: what a user Worker dies of is an error that its dispatcher catches,
// and costs the dispatcher nothing.
func TestWasmDispatchesToWasm(t *testing.T) {
	rt := wasmRuntime(t)
	for _, file := range []string{"guest/c/example.wasm", "testdata/inline.wasm"} {
		source := readFile(t, file)
		dispatcher, customer := poolOf(t, rt, wasmSpec(source, PolicyReuse)), poolOf(t, rt, wasmSpec(source, PolicyRequest))
		for _, c := range []struct{ path, want string }{
			{"/hello", "Hello /hello"},
			{"/spin", ErrCPULimit.Error()},
			{"/recurse", ErrStack.Error()},
			{"/throw", "on purpose"},
			{"/trap", "Worker trapped: unreachable"},
			{"/pass", string(big)},
			{"/hello/again", "Hello /hello/again"},
		} {
			t.Run(file+c.path, func(t *testing.T) {
				call := &Call{
					Context: context.Background(), Host: &city{customer: customer, path: c.path},
					Limits: Limits{CPU: 15 * time.Millisecond}, Request: wasmRequest("GET", "/dispatch/x", Body{}),
				}
				r, err := dispatcher.Invoke(call)
				if err != nil {
					t.Fatal(err)
				}
				if text, err := answerText(r); text != c.want || err != nil {
					t.Errorf("%.80q, error %v; want %.80q", text, err, c.want)
				}
				if call.Usage.CPU > 5*time.Millisecond {
					t.Errorf("the dispatcher is charged %v", call.Usage.CPU)
				}
			})
		}
	}
}
