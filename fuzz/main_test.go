package fuzz

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"switchyard/isolate"
	"switchyard/isolate/js"
)

// guestMemory keeps a Worker that eats all it may cheap.
const guestMemory = 48 << 20

// guestIsolates, of one version, are few, so that requests share them.
const guestIsolates = 2

// sharedRuntime is the process' only Runtime: the JavaScript engine is compiled once.
var sharedRuntime = sync.OnceValues(func() (*isolate.Runtime, error) {
	binary, err := js.Engine()
	if err != nil {
		return nil, err
	}
	return isolate.NewRuntime(isolate.Options{
		Engine: binary, Prelude: js.Prelude(), Memory: guestMemory, MaxIsolates: guestIsolates, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
})

// needRuntime skips the test where the JavaScript engine was not made.
func needRuntime(t testing.TB) *isolate.Runtime {
	t.Helper()
	if _, err := js.Engine(); err != nil {
		t.Skip(err)
	}
	rt, err := sharedRuntime()
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// seeds are those of this test run: the one of the environment, or the fixed ones and a new one.
func seeds(t *testing.T, fixed ...uint64) []uint64 {
	t.Helper()
	if s := os.Getenv("SWITCHYARD_FUZZ_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("SWITCHYARD_FUZZ_SEED: %v", err)
		}
		return []uint64{seed}
	}
	return append(fixed, uint64(time.Now().UnixNano()))
}

// runTime is how long each run lasts; SWITCHYARD_FUZZ_TIME is shared by all of a test's.
func runTime(t *testing.T, short time.Duration, runs int) time.Duration {
	t.Helper()
	s := os.Getenv("SWITCHYARD_FUZZ_TIME")
	if s == "" {
		return short
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatalf("SWITCHYARD_FUZZ_TIME: %v", err)
	}
	return d / time.Duration(runs)
}

// eachSeed runs one test per seed, and says how to replay one that fails.
func eachSeed(t *testing.T, short time.Duration, fixed []uint64, run func(t *testing.T, seed uint64, d time.Duration)) {
	all := seeds(t, fixed...)
	for _, seed := range all {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("replay: SWITCHYARD_FUZZ_SEED=%d go test -run '%s' ./fuzz", seed, t.Name())
				}
			}()
			run(t, seed, runTime(t, short, len(all)))
		})
	}
}
