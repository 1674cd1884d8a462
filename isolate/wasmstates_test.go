package isolate

import (
	"context"
	"strings"
	"testing"
)

// TestWasmStates has a guest compare what every handle and operation goes through with ABI.md.
// What it answers is what was otherwise, by line of testdata/states.c.
func TestWasmStates(t *testing.T) {
	rt := wasmRuntime(t)
	w := new(world)
	p := poolOf(t, rt, wasmSpec(readFile(t, "testdata/states.wasm"), PolicyReuse))
	for _, c := range []struct {
		name, path, text string
		length           int64
		broken           bool
	}{
		{name: "states", path: "/", length: 0},
		{name: "bytes under another head", path: "/bytes", text: "one", length: 3},
		{name: "a stream under another head", path: "/stream", text: string(big), length: int64(len(big))},
		{name: "declared length", path: "/declared", text: "ok", length: 2},
		{name: "no end", path: "/unended", text: "ok", length: -1, broken: true},
		{name: "a trap after the answer", path: "/trap", text: "ok", length: 2},
		{name: "states again", path: "/", length: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := p.Invoke(&Call{Context: context.Background(), Host: w, Request: wasmRequest("POST", c.path, Body{Bytes: []byte("event")})})
			if err != nil {
				t.Fatal(err)
			}
			if r.Head.Status() != 203 || r.Body.Size() != c.length {
				t.Errorf("status %d, length %d; want 203, %d", r.Head.Status(), r.Body.Size(), c.length)
			}
			text, err := answerText(r)
			if text != c.text || (err != nil) != c.broken {
				t.Errorf("%.200q, error %v; want %.80q", text, err, c.text)
			}
		})
	}
	if log := strings.Join(w.lines(), "|"); !strings.Contains(log, "Worker trapped: unreachable") {
		t.Errorf("the trap after an answer is not in the log: %s", log)
	}
}
