package isolate

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// visit makes one call in is, an isolate that no Pool has, as if p had given it to the call, and
// returns the answer and the log.
func visit(t testing.TB, p *Pool, is *Isolate, path string) (answer, log string) {
	t.Helper()
	host := new(fakeHost)
	c := &Call{Context: context.Background(), Host: host, Request: testRequest("GET", "http://a.test"+path, "")}
	c.begin(p)
	r, err := p.guest.invoke(is, c)
	if err != nil {
		t.Fatal(err)
	}
	if p.slots.takeAny() != is {
		t.Fatal("the isolate was not kept")
	}
	answer, _ = answerText(r)
	return answer, host.log()
}

// sequences are the random values that isolates answered with, each to what made the isolate.
type sequences struct {
	names []string
	seen  []map[string]string
}

func newSequences(names ...string) *sequences {
	q := &sequences{names: names}
	for range names {
		q.seen = append(q.seen, map[string]string{})
	}
	return q
}

// note takes the values of one call, in the order of the names.
func (q *sequences) note(t *testing.T, how string, values []string) {
	t.Helper()
	if len(values) < len(q.names) {
		t.Fatalf("%s: %q is not %v", how, values, q.names)
	}
	for i, name := range q.names {
		if before, ok := q.seen[i][values[i]]; ok {
			t.Errorf("%s is %q after %s as it was after %s", name, values[i], how, before)
		}
		q.seen[i][values[i]] = how
	}
}

// TestClonesDiffer: isolates that equal one snapshot never go on with the same random numbers,
// whatever made them equal it.
func TestClonesDiffer(t *testing.T) {
	t.Run("js", func(t *testing.T) {
		spec := jsSpec(handler(`return new Response([[1, 2, 3].map(() => Math.random()).join(),
			crypto.getRandomValues(new Uint8Array(8)), crypto.randomUUID()].join(" "))`))
		clonesDiffer(t, spec, newSequences("Math.random", "getRandomValues", "randomUUID"),
			func(answer, _ string) []string { return strings.Fields(answer) })
	})
	t.Run("wasm", func(t *testing.T) {
		spec := wasmSpec(readFile(t, "testdata/canary.wasm"), PolicyReuse)
		clonesDiffer(t, spec, newSequences("random_get at reseed", "random_get"),
			func(_, log string) []string { return strings.Split(log, "\n1 ") }) // 1 is the level
	})
}

func clonesDiffer(t *testing.T, spec *Spec, q *sequences, values func(answer, log string) []string) {
	const clones = 1000
	rt := smallRuntime(t, Options{})
	reuse := poolOf(t, rt, spec)
	spec.Policy = PolicyRequest
	request := poolOf(t, rt, spec)
	clone := func(p *Pool) *Isolate {
		is, err := rt.newIsolate(p.module, p.snapshot, p.snapshot.entry)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	for n := range clones {
		is := clone(reuse)
		q.note(t, fmt.Sprint("clone ", n), values(visit(t, reuse, is, "/random")))
		is.close()
	}
	is := clone(request)
	defer is.close()
	for n := range clones {
		q.note(t, fmt.Sprint("reset ", n), values(visit(t, request, is, "/random")))
	}
	for n := range clones {
		if err := is.become(reuse.snapshot); err != nil {
			t.Fatal(err)
		}
		q.note(t, fmt.Sprint("re-skin ", n), values(visit(t, reuse, is, "/random")))
	}
	for i, name := range q.names {
		t.Logf("%d different sequences of %s", len(q.seen[i]), name)
	}
}
