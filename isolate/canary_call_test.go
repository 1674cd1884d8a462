//go:build linux && !plainmemory

package isolate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// canaryEnd is a way in which a tenant's call ends that really runs its code: what its client sent
// is in the guest's heap, globals, stack and tables by then.
type canaryEnd struct {
	path    string
	limits  Limits
	gone    bool  // the client leaves meanwhile
	panics  bool  // the host panics in a function that the guest called
	want    error // nil: an answer
	retires bool  // nobody may ever see the isolate again
	tables  bool  // none but the same tenant may
}

var canaryCPU = Limits{CPU: time.Millisecond}

// canaryEnds are those of a JavaScript and of a wasm Worker. A JavaScript call that is abandoned while
// it waits leaves its isolate alive: that is at rest.
var canaryEnds = map[string][]canaryEnd{
	"js": {
		{path: "/answer"},
		{path: "/throw", want: new(Exception)},
		{path: "/never", want: ErrNoResponse},
		{path: "/deep"},
		{path: "/wait", gone: true, want: ErrCanceled},
		{path: "/spin", limits: canaryCPU, want: ErrCPULimit, retires: true},
		{path: "/spin", limits: Limits{Wall: time.Millisecond}, want: ErrWallLimit, retires: true},
		{path: "/spin", gone: true, want: ErrCanceled, retires: true},
		{path: "/spin", panics: true, want: new(bugError), retires: true},
	},
	"wasm": {
		{path: "/take/a"},
		{path: "/take/g", tables: true},
		{path: "/take/s", limits: canaryCPU, want: ErrCPULimit, retires: true},
		{path: "/take/s", limits: Limits{Wall: time.Millisecond}, want: ErrWallLimit, retires: true},
		{path: "/take/s", gone: true, want: ErrCanceled, retires: true},
		{path: "/take/s", panics: true, want: new(bugError), retires: true},
		{path: "/take/w", gone: true, want: ErrCanceled, retires: true},
		{path: "/take/t", want: ErrTrap, retires: true},
		{path: "/take/b", want: ErrTrap, retires: true}, // breach of the host's contract
	},
}

// canaryScript keeps what its client sent wherever it can; the answer is 0 unless somebody did before.
const canaryScript = `
let kept;
export default { async fetch(request) {
	const left = kept || globalThis.left ? 1 : 0, secret = await request.bytes();
	kept = [secret, String.fromCharCode(...secret), secret.slice()];
	globalThis.left = new Map([[kept[1] + "", new Error(kept[1])]]);
	const deep = (n, local) => n ? deep(n - 1, local.slice()) + local.length : local.length;
	switch (new URL(request.url).pathname) {
	case "/throw": throw new Error(kept[1]);
	case "/never": await new Promise(() => {});
	case "/deep": deep(200, secret); break;
	case "/wait": await fetch("http://o.test/hang", { method: "POST", body: secret }); break;
	case "/spin": for (let n = 0;; n++) kept[3] = secret.slice(n % 8);
	}
	return new Response(String(left));
} }`

// brokenContext panics where a running guest's slice ends.
type brokenContext struct{ context.Context }

func (brokenContext) Err() error { panic("BUG: on purpose") }

// hangs is an origin that never answers.
func hangs(ctx context.Context, _ *Call, _ *Subrequest) (*Response, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// call runs the tenant's own code in the isolate, which is clean, and wants it to end as chosen.
func (g *canaryGuest) call(is *Isolate, l *life, c *Call, rng *rand.Rand) {
	end := g.ends[rng.IntN(len(g.ends))]
	l.retired, l.tables, l.unknown = end.retires, end.tables, true
	is.turn.Unlock()
	secret := binary.LittleEndian.AppendUint32(bytes.Clone(canaryMark), g.tenant)
	secret = binary.LittleEndian.AppendUint32(secret, uint32(g.planted.Add(1)))
	c.Request.Release()
	c.Request = testRequest("POST", "http://a.test"+end.path, string(bytes.Repeat(secret, 4)))
	c.Limits, c.Host = end.limits, &fakeHost{fetch: hangs}
	if end.limits.Wall > 0 {
		c.state.wall = time.Now().Add(end.limits.Wall)
	}
	if end.panics {
		c.Context = brokenContext{c.Context}
	}
	if end.gone {
		ctx, cancel := context.WithCancel(c.Context)
		defer cancel()
		c.Context = ctx
		defer time.AfterFunc(time.Millisecond, cancel).Stop()
	}
	r, err := g.real.invoke(is, c)
	g.calls.Add(1)
	if err := end.check(r, err); err != nil {
		g.leaked("a call of %s ended with %v", end.path, err)
	}
}

// check compares what a call came to with how it had to end.
func (end *canaryEnd) check(r *Response, err error) error {
	if err == nil {
		text, _ := answerText(r)
		if end.want != nil || text != "0" {
			return fmt.Errorf("the answer %q", text)
		}
		return nil
	}
	if end.gone { // what it would have been told, nobody hears
		return nil
	}
	switch want := end.want.(type) {
	case *Exception:
		if errors.As(err, &want) {
			return nil
		}
	case *bugError:
		if errors.As(err, &want) {
			return nil
		}
	default:
		if want != nil && errors.Is(err, want) {
			return nil
		}
	}
	return err
}
