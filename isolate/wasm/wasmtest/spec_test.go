package wasmtest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"switchyard/isolate/wasm"
)

// The WebAssembly specification's tests, as the engine's module carries them: every module
// is run as it is and rewritten, side by side, and must do the same.

type script struct {
	Commands []command
}

type command struct {
	Type       string
	Line       int
	Name       string
	As         string
	Filename   string
	ModuleType string `json:"module_type"`
	Action     action
	Expected   []value
}

type action struct {
	Type, Module, Field string
	Args                []value
}

type value struct {
	Type     string
	LaneType string `json:"lane_type"`
	Value    json.RawMessage
}

// tally counts what became of a suite's commands.
type tally struct {
	modules, refused, unlinked int
	returns, traps, exhausted  int
	skipped                    int // assertions on modules that were refused
	beyond                     int // traps that did not come: access behind the virtual size, inside the reservation
	invalid, invalidKept       int
	differences                int
	yields                     int
	reasons                    map[string]int
}

func TestSpecification(t *testing.T) {
	root := filepath.Join(engineModule(), "internal/integration_test/spectest")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the engine's module with the specification's tests is not in the module cache")
	}
	for _, version := range []string{"v1", "v2"} {
		t.Run(version, func(t *testing.T) {
			scripts, _ := filepath.Glob(filepath.Join(root, version, "testdata", "*.json"))
			if len(scripts) == 0 {
				t.Fatal("no scripts")
			}
			sum := &tally{reasons: make(map[string]int)}
			for _, s := range scripts {
				runScript(t, s, filepath.Join(root, "testdata"), sum)
			}
			t.Logf("%d scripts, %d modules: %d refused, %d not linked to a refused one", len(scripts), sum.modules, sum.refused, sum.unlinked)
			t.Logf("%d assert_return, %d assert_trap, %d assert_exhaustion compared, %d yields; %d skipped with their module", sum.returns, sum.traps, sum.exhausted, sum.yields, sum.skipped)
			t.Logf("%d invalid or malformed modules refused, %d not", sum.invalid, sum.invalidKept)
			t.Logf("%d accesses between the virtual size and the end of the reservation", sum.beyond)
			for reason, n := range sum.reasons {
				t.Logf("refused: %4d %s", n, reason)
			}
			t.Logf("%d differences", sum.differences)
		})
	}
}

// stage runs one script in two runtimes.
type stage struct {
	t       *testing.T
	dir     string
	name    string
	sum     *tally
	raw     wazero.Runtime
	metered *engine
	pairs   map[string]*pair
	last    *pair
	aliases map[int]string // index of a module command → name it is registered by later
}

// pair is one module, twice; rewritten is nil when it was refused.
type pair struct {
	raw       api.Module
	rewritten *guest
	linked    bool // with other modules of the script
	apart     bool // one of the two has been changed by what the other cannot be changed by
}

func runScript(t *testing.T, path, support string, sum *tally) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s script
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	st := &stage{t: t, dir: filepath.Dir(path), name: filepath.Base(path), sum: sum, pairs: make(map[string]*pair), aliases: aliases(s.Commands)}
	st.raw = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(maxPages))
	defer st.raw.Close(ctx)
	st.metered = newEngine(t, wasm.MinRefill)
	defer st.metered.Close(ctx)
	host, err := os.ReadFile(filepath.Join(support, "spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []wazero.Runtime{st.raw, st.metered.Runtime} {
		if _, err := r.InstantiateWithConfig(ctx, host, wazero.NewModuleConfig().WithName("spectest")); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range s.Commands {
		st.command(i, c)
	}
}

// aliases finds the names that modules are registered by: the engine wants them at once.
func aliases(commands []command) map[int]string {
	names, byName, last := make(map[int]string), make(map[string]int), 0
	for i, c := range commands {
		switch c.Type {
		case "module":
			last = i
			if c.Name != "" {
				byName[c.Name] = i
			}
		case "register":
			at := last
			if c.Name != "" {
				at = byName[c.Name]
			}
			names[at] = c.As
		}
	}
	return names
}

func (s *stage) differ(line int, format string, args ...any) {
	s.sum.differences++
	s.t.Errorf("%s:%d: %s", s.name, line, fmt.Sprintf(format, args...))
}

func (s *stage) command(i int, c command) {
	switch c.Type {
	case "module":
		s.module(i, c)
	case "action", "assert_return", "assert_trap", "assert_exhaustion":
		s.compare(c)
	case "assert_invalid", "assert_malformed":
		s.invalid(c)
	case "assert_uninstantiable", "assert_unlinkable":
		s.uninstantiable(c)
	}
}

func (s *stage) read(c command) []byte {
	b, err := os.ReadFile(filepath.Join(s.dir, c.Filename))
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

var specOptions = wasm.Options{MaxPages: maxPages, MayImport: anyImport}

func (s *stage) module(i int, c command) {
	s.sum.modules++
	binary, ctx := s.read(c), context.Background()
	p := &pair{}
	s.last = p
	if c.Name != "" {
		s.pairs[c.Name] = p
	}
	alias := s.aliases[i]
	if p.linked = alias != ""; p.linked {
		s.pairs[alias] = p
	}
	raw, err := s.raw.InstantiateWithConfig(ctx, binary, wazero.NewModuleConfig().WithName(alias).WithStartFunctions())
	if err != nil {
		s.t.Logf("%s:%d: the engine does not run the original: %v", s.name, c.Line, err)
		return
	}
	p.raw = raw
	re, err := wasm.Rewrite(binary, specOptions)
	if err != nil {
		s.refuse(c, err)
		return
	}
	for _, f := range re.Imports {
		p.linked = p.linked || f.Module != "spectest"
	}
	p.rewritten, err = s.metered.start(re, alias)
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "not instantiated"):
		s.sum.unlinked++
		p.rewritten = nil
	default:
		s.differ(c.Line, "%s: only the original can be instantiated: %v", c.Filename, err)
	}
}

// refuse counts a refused module, which is only right if it imports what cannot be imported.
// The original may have written to the tables and memories of others, so they are compared no more.
func (s *stage) refuse(c command, err error) {
	s.sum.refused++
	for _, p := range s.pairs {
		p.apart = p.apart || p.linked
	}
	for _, reason := range []string{"an imported global", "an imported table", "an imported memory", "MaxPages", "TableSize"} {
		if strings.Contains(err.Error(), reason) {
			s.sum.reasons[reason]++
			return
		}
	}
	s.differ(c.Line, "%s: %v", c.Filename, err)
}

func (s *stage) compare(c command) {
	p := s.last
	if c.Action.Module != "" {
		p = s.pairs[c.Action.Module]
	}
	if p == nil || p.rewritten == nil || p.raw == nil || p.apart {
		s.sum.skipped++
		return
	}
	switch c.Type {
	case "assert_return":
		s.sum.returns++
	case "assert_trap":
		s.sum.traps++
	case "assert_exhaustion":
		s.sum.exhausted++
	}
	if c.Action.Type == "get" {
		if a, b := p.raw.ExportedGlobal(c.Action.Field).Get(), p.rewritten.ExportedGlobal(c.Action.Field).Get(); a != b {
			s.differ(c.Line, "global %q: %x, rewritten %x", c.Action.Field, a, b)
		}
		return
	}
	s.invoke(c, p)
}

func (s *stage) invoke(c command, p *pair) {
	var args []uint64
	for _, v := range c.Action.Args {
		args = append(args, v.bits(s.t)...)
	}
	want, wantErr := p.raw.ExportedFunction(c.Action.Field).Call(context.Background(), args...)
	got, err := p.rewritten.call(c.Action.Field, args...)
	s.sum.yields += s.metered.yields
	switch {
	case c.Type == "assert_exhaustion":
		if wantErr == nil || err == nil {
			s.differ(c.Line, "%s: exhaustion: %v, rewritten %v", c.Action.Field, wantErr, err)
		}
	case wantErr != nil && err == nil && s.behindSize(p, wantErr):
		s.sum.beyond++
		p.apart = true // it may have stored something
	case firstLine(wantErr) != firstLine(err):
		s.differ(c.Line, "%s(%v): error %q, rewritten %q", c.Action.Field, args, firstLine(wantErr), firstLine(err))
	case !same(want, got, c.Expected):
		s.differ(c.Line, "%s(%v) = %x, rewritten %x", c.Action.Field, args, want, got)
	}
}

// behindSize reports whether a trap was one that a rewritten module need not have.
func (s *stage) behindSize(p *pair, err error) bool {
	g := p.rewritten
	return strings.Contains(err.Error(), "out of bounds memory access") && g.re.Pages != "" &&
		uint32(g.global(g.re.Pages).Get()) < g.re.MemoryPages
}

func firstLine(err error) string {
	if err == nil {
		return ""
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// same compares results. Of references only whether they are null can be compared, and NaNs
// may carry any payload where the script allows it.
func same(a, b []uint64, expected []value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		switch {
		case a[i] == b[i]:
		case i < len(expected) && expected[i].Type == "funcref" && a[i] != 0 && b[i] != 0:
		case math.IsNaN(math.Float64frombits(a[i])) && math.IsNaN(math.Float64frombits(b[i])):
		case nan32(a[i]) && nan32(b[i]):
		default:
			return false
		}
	}
	return true
}

func nan32(v uint64) bool { return math.IsNaN(float64(math.Float32frombits(uint32(v)))) }

// bits is a value as the engine takes it.
func (v value) bits(t *testing.T) []uint64 {
	if v.Type != "v128" {
		var text string
		if err := json.Unmarshal(v.Value, &text); err != nil {
			t.Fatal(err)
		}
		if text == "null" {
			return []uint64{0}
		}
		return []uint64{number(t, text)}
	}
	var lanes []string
	if err := json.Unmarshal(v.Value, &lanes); err != nil {
		t.Fatal(err)
	}
	width := 128 / len(lanes)
	out := make([]uint64, 2)
	for i, lane := range lanes {
		n := number(t, lane)
		if width < 64 {
			n &= 1<<width - 1
		}
		out[i*width/64] |= n << (i * width % 64)
	}
	return out
}

func number(t *testing.T, text string) uint64 {
	switch text {
	case "nan:canonical", "nan:arithmetic":
		return math.Float64bits(math.NaN())
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// invalid checks that an invalid module is refused, by the decoder or by the engine.
func (s *stage) invalid(c command) {
	if c.ModuleType != "binary" {
		return
	}
	if s.refused(s.read(c)) {
		s.sum.invalid++
		return
	}
	if _, err := s.raw.CompileModule(context.Background(), s.read(c)); err == nil {
		return // the engine is lenient here, with or without us
	}
	s.sum.invalidKept++
	s.differ(c.Line, "%s: the original is refused, the rewritten module is not", c.Filename)
}

func (s *stage) refused(binary []byte) bool {
	re, err := wasm.Rewrite(binary, specOptions)
	if err != nil {
		return true
	}
	_, err = s.metered.CompileModule(context.Background(), re.Binary)
	return err != nil
}

func (s *stage) uninstantiable(c command) {
	if c.ModuleType == "text" {
		return
	}
	re, err := wasm.Rewrite(s.read(c), specOptions)
	if err == nil {
		_, err = s.metered.start(re, "")
	}
	if err == nil {
		s.differ(c.Line, "%s: the rewritten module can be instantiated", c.Filename)
	}
}
