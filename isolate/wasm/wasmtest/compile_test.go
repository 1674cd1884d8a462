package wasmtest

import (
	"strings"
	"testing"
	"time"

	"switchyard/isolate/wasm"
)

// TestWhatIsAcceptedCompiles hands the engine modules just inside the limits: the limits are
// there so that none takes it long.
func TestWhatIsAcceptedCompiles(t *testing.T) {
	many := strings.Repeat
	for name, code := range map[string]string{
		"nested blocks": many("block ", 999) + many("end ", 999),
		"nested loops":  many("loop ", 999) + many("end ", 999),
		"loops":         many("loop end ", 1_900),
		"branch table":  "i32.const 0 br_table 32768 " + many("0 ", 32_769),
		"calls":         many("call 0 ", 100_000),
		"operands":      many("i32.const 1 ", 50_000) + many("i32.add ", 49_999) + "drop",
	} {
		t.Run(name, func(t *testing.T) {
			m := &builder{}
			m.function("run", "", "", "", code)
			re, err := wasm.Rewrite(m.binary(), wasm.Options{})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if _, err := newEngine(t, 1<<40).CompileModule(t.Context(), re.Binary); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes, rewritten to %d, compiled in %v", len(m.binary()), len(re.Binary), time.Since(began))
		})
	}
}
