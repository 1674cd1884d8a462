package fuzz

import (
	"context"
	"errors"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

// Findings become named tests here, or in the room that they belong to. One whose mending is
// still to come is skipped and says why.

// A client that leaves while its Worker waits for a fetch is no fault of the Worker: nothing of
// it belongs into the tenant's log and errors.
func TestClientGoneWhileFetching(t *testing.T) {
	w, err := newWorld(needRuntime(t), t.TempDir(), 1, false, []string{"production"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	ref := engine.Ref{Namespace: "production", Script: "a"}
	if err := w.deploy(ref); err != nil {
		t.Fatal(err)
	}
	q := &request{path: "hang", host: "a.test", canary: canary{1, 'r', 1}}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if o := w.askEngine(ctx, q); !errors.Is(o.err, isolate.ErrCanceled) {
		t.Errorf("got %v, want %v", o, isolate.ErrCanceled)
	}
}
