package fuzz

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"switchyard/engine/store"
)

// rest is what the process holds while nothing runs. A run gives all of it back: an isolate
// that is left over shows as a mapping, a call as a goroutine, a connection as a descriptor.
type rest struct {
	goroutines goleak.Option
	files      int
	memories   int
}

func measure(t testing.TB) rest {
	t.Helper()
	return rest{goleak.IgnoreCurrent(), files(t), memories(t)}
}

// fasthttpOwn are a clock for the whole process, and one goroutine a server that looks every
// ten seconds whether it was shut down.
var fasthttpOwn = []goleak.Option{
	goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
	goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
}

// files counts open descriptors.
func files(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// memories counts mappings of guests' memory images.
func memories(t testing.TB) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	return strings.Count(string(maps), "/memfd:")
}

// check holds what is left after a run against what was there before, and the data directory
// against itself. What rests after an answer may take its time to end.
func (r rest) check(t testing.TB, dir string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); files(t) > r.files || memories(t) > r.memories; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%d files and %d guest mappings are open, %d and %d before", files(t), memories(t), r.files, r.memories)
			break
		}
	}
	if err := goleak.Find(append(fasthttpOwn, r.goroutines)...); err != nil {
		t.Errorf("goroutines are left: %v", err)
	}
	st, err := store.Open(store.Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Check(func(problem string) { t.Errorf("store: %s", problem) }); err != nil {
		t.Error(err)
	}
}
