package shimtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"switchyard/isolate/js"
)

// TestShimIsCurrent compiles the shim again: the committed binary must be what its source makes.
func TestShimIsCurrent(t *testing.T) {
	if _, err := exec.LookPath("clang-19"); err != nil {
		t.Skip("clang-19 is not installed")
	}
	fresh := filepath.Join(t.TempDir(), "shim.wasm")
	if out, err := exec.Command("../shim/build.sh", fresh).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../shim/shim.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("shim.wasm is not what shim/build.sh makes: run it and commit the result")
	}
}

// TestHeaderNumbers holds protocol.h against protocol.go.
func TestHeaderNumbers(t *testing.T) {
	header, err := os.ReadFile("../shim/protocol.h")
	if err != nil {
		t.Fatal(err)
	}
	inC := map[string]int{}
	for _, enum := range regexp.MustCompile(`enum \{([^}]*)\}`).FindAllStringSubmatch(string(header), -1) {
		next := 0
		for item := range strings.SplitSeq(enum[1], ",") {
			name, value, given := strings.Cut(strings.TrimSpace(item), " = ")
			if given {
				next = number(t, value)
			}
			inC[name] = next
			next++
		}
	}
	for name, want := range map[string]int{
		"OP_INIT": int(js.OpInit), "OP_ALLOC": int(js.OpAlloc), "OP_FREE": int(js.OpFree), "OP_IO": int(js.OpIO),
		"OP_MODULE": int(js.OpModule), "OP_START": int(js.OpStart), "OP_ENV": int(js.OpEnv), "OP_EVENT": int(js.OpEvent),
		"OP_RESOLVE": int(js.OpResolve), "OP_DROP": int(js.OpDrop), "OP_LIMIT": int(js.OpLimit),
		"OP_HANDLERS": int(js.OpHandlers), "OP_GC": int(js.OpGC),
		"HOST_LOG": int(js.HostLog), "HOST_RESPOND": int(js.HostRespond), "HOST_THROWN": int(js.HostThrown),
		"HOST_FETCH": int(js.HostFetch), "HOST_READ": int(js.HostRead), "HOST_CANCEL": int(js.HostCancel),
		"HOST_WRITE": int(js.HostWrite), "HOST_END": int(js.HostEnd), "HOST_TIMER": int(js.HostTimer),
		"HOST_STOP": int(js.HostStop), "HOST_NOW": int(js.HostNow), "HOST_RANDOM": int(js.HostRandom),
		"HOST_HOLD": int(js.HostHold), "HOST_HEAD": int(js.HostHead), "HOST_IDNA": int(js.HostIDNA),
		"HOST_STREAM": int(js.HostStream), "HOST_WRITE2": int(js.HostWrite2), "HOST_REJECTED": int(js.HostRejected),
		"HOST_END2": int(js.HostEnd2), "HOST_SERVICE": int(js.HostService), "HOST_TAKE": int(js.HostTake),
		"HOST_SOURCE": int(js.HostSource), "HOST_GONE": int(js.HostGone), "START_NODE": js.StartNode, "START_BUFFER": js.StartBuffer, "START_PROCESS": js.StartProcess,
		"FAILED": js.Failed, "PENDING": js.Pending, "REFUSED": js.Refused,
		"START_DONE": js.StartDone, "START_PENDING": js.StartPending,
		"HANDLER_FETCH": js.HandlerFetch, "HANDLER_ANY": js.HandlerAny,
		"EVENT_HAS_BODY": js.EventHasBody, "EVENT_INLINE": js.EventInline, "RESPONSE_UNTOUCHED": js.ResponseUntouched,
		"RESPONSE_MANUAL": js.ResponseManual,
		"BODY_NONE":       js.BodyNone, "BODY_BYTES": js.BodyBytes, "BODY_HANDLE": js.BodyHandle, "BODY_STREAM": js.BodyStream,
		"REQUEST_FLAT": js.RequestFlat, "REQUEST_UNTOUCHED": js.RequestUntouched,
		"RESOLVE_OK": js.ResolveOK, "RESOLVE_FAILED": js.ResolveFailed, "RESOLVE_THROWN": js.ResolveThrown, "EVENT_KIND_SHIFT": js.EventKindShift, "LOG_LINE_SHIFT": js.LogLineShift,
		"IO_BYTES": js.IOBytes, "MAX_TEXT": js.MaxText, "MAX_IDNA": js.MaxIDNA,
	} {
		if got, ok := inC[name]; !ok || got != want {
			t.Errorf("%s is %d in protocol.h (there: %v), %d in protocol.go", name, got, ok, want)
		}
	}
}

// number reads "5", "-1", "1 << 3" or "64 << 10".
func number(t *testing.T, text string) int {
	t.Helper()
	base, shift, shifted := strings.Cut(text, " << ")
	n, err := strconv.Atoi(base)
	if shifted && err == nil {
		var by int
		by, err = strconv.Atoi(shift)
		n <<= by
	}
	if err != nil {
		t.Fatalf("protocol.h: %q: %v", text, err)
	}
	return n
}
