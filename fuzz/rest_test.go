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
	"switchyard/isolate"
)

// rest is what the process holds while nothing runs, without the spare isolates of the shared
// Runtime, which are nobody's and of which there may be more or fewer. A run gives all of it
// back: an isolate that is left over shows as a mapping, a call as a goroutine, a connection as
// a descriptor, a version that nobody has as an image.
type rest struct {
	goroutines goleak.Option
	files      int
	guests     guests
}

// guests are what there is of guests.
type guests struct {
	isolates int   // not spare, or being made
	mappings int   // of memory images, not spare isolates'
	images   int64 // bytes
}

// measure waits for the spare isolates that are being made: until then they cannot be told from others.
func measure(t testing.TB, rt *isolate.Runtime) rest {
	t.Helper()
	r := rest{files: files(t), guests: guestsOf(t, rt)}
	for end := time.Now().Add(5 * time.Second); r.guests.isolates > 0; r.guests = guestsOf(t, rt) {
		if time.Now().After(end) {
			t.Fatalf("%d isolates are there before the run", r.guests.isolates)
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.goroutines = goleak.IgnoreCurrent()
	return r
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

func guestsOf(t testing.TB, rt *isolate.Runtime) guests {
	t.Helper()
	stats := rt.Stats()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	mappings := strings.Count(string(maps), "/memfd:")
	return guests{stats.Isolates - stats.Spare, mappings - stats.Spare, stats.ImageBytes}
}

func (g guests) exceed(o guests) bool {
	return g.isolates > o.isolates || g.mappings > o.mappings || g.images > o.images
}

// check holds what is left after a run against what was there before, and the data directory
// against itself. What rests after an answer may take its time to end.
func (r rest) check(t testing.TB, rt *isolate.Runtime, dir string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		files, guests := files(t), guestsOf(t, rt)
		if files <= r.files && !guests.exceed(r.guests) {
			break
		}
		if time.Now().After(end) {
			t.Errorf("%d files and %+v are there, %d and %+v before", files, guests, r.files, r.guests)
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
