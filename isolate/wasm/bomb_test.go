package wasm

import (
	"runtime"
	"strings"
	"testing"
)

// multipliers are small things that are there often, each of which could stand for as much work
// as a large one: n functions of three bytes with 50,000 locals, calls of two bytes that carry
// 2,000 values. They are refused by name where the product passes a limit.
var multipliers = []struct {
	name string
	make func() string
	want string // "": accepted
}{
	{"locals of many functions", func() string {
		return manyBodies(200_000, "\x60\x00\x00", "\x01"+leb(50_000)+"\x7f\x0b")
	}, "exceed the limit Values of 10000000"},
	{"parameters of many functions", func() string {
		return manyBodies(200_000, "\x60"+leb(1000)+strings.Repeat("\x7f", 1000)+"\x00", "\x00\x0b")
	}, "limit Values"},
	{"results of many functions", func() string {
		return manyBodies(200_000, "\x60\x00"+leb(1000)+strings.Repeat("\x7f", 1000), "\x00\x00\x0b")
	}, "limit Values"},
	{"results of recursive functions", func() string {
		return manyBodies(9_000, "\x60\x00"+leb(1000)+strings.Repeat("\x7f", 1000), "\x00\x10\x00\x00\x0b")
	}, "limit Values"},
	{"calls", func() string { return manyBodies(1, wide, "\x00"+strings.Repeat("\x10\x00", 500_000)+"\x0b") }, "limit Values"},
	{"indirect calls", func() string { return manyBodies(1, wide, "\x00"+strings.Repeat("\x11\x00\x00", 300_000)+"\x0b") }, "limit Values"},
	{"blocks", func() string { return manyBodies(1, wide, "\x00"+strings.Repeat("\x02\x00\x0b", 300_000)+"\x0b") }, "limit Values"},
	{"loops", func() string { return manyBodies(4, wide, "\x00"+strings.Repeat("\x03\x00\x0b", 2_000)+"\x0b") }, "limit Values"},
	{"branches", func() string {
		return manyBodies(1, wide, "\x00\x10\x00"+strings.Repeat("\x41\x00\x0d\x00", 250_000)+"\x0b")
	}, "limit Values"},
	{"branch tables", func() string {
		return manyBodies(1, wide, "\x00\x10\x00\x41\x00\x0e"+leb(30_000)+strings.Repeat("\x00", 30_001)+"\x0b")
	}, "limit Values"},
	{"returns", func() string { return manyBodies(1, wide, "\x00"+strings.Repeat("\x0f", 1_000_000)+"\x0b") }, "limit Values"},

	{"globals of many functions", func() string { // the first uses 50,000, the others one each
		var uses strings.Builder
		for i := range 50_000 {
			uses.WriteString("\x23" + leb(i) + "\x1a")
		}
		many, one := "\x00"+uses.String(), "\x00\x23\x00\x1a\x0b"
		return mod(sec(1, 1, "\x60\x00\x00"), sec(3, 100_001, strings.Repeat("\x00", 100_001)),
			sec(6, 50_000, strings.Repeat("\x7f\x01\x41\x00\x0b", 50_000)),
			sec(10, 100_001, leb(len(many)+1)+many+"\x0b"+strings.Repeat(leb(len(one))+one, 100_000)))
	}, ""},
	{"names that are not there", func() string {
		names := leb(16<<20) + strings.Repeat("\xff", 16<<20)
		return mod(raw(0, "\x04name\x01"+leb(len(names))+names))
	}, ""},
	{"names of functions that are not there", func() string {
		var names strings.Builder
		for i := range 2 << 20 {
			names.WriteString(leb(i) + "\x00")
		}
		content := leb(2<<20) + names.String()
		return mod(raw(0, "\x04name\x01"+leb(len(content))+content))
	}, ""},
	{"many name sections", func() string { return mod(strings.Repeat(raw(0, "\x04name\x01\x02\x05\x00"), 1<<20)) }, ""},
	{"a long import name", func() string {
		return mod(sec(1, 1, "\x60\x00\x00"), sec(2, 1, leb(100_000)+strings.Repeat("\x01", 100_000)+"\x00\x00\x00"))
	}, "imports are not allowed"},
	{"memory.init helpers", func() string {
		return mod(sec(1, 1, "\x60\x00\x00"), sec(3, 1, "\x00"), sec(5, 1, "\x00\x01"), raw(12, leb(10_000)), sec(10, 1, body(inits(10_000))), sec(11, 10_000, strings.Repeat("\x01\x00", 10_000)))
	}, ""},
	{"segments of many tables", func() string {
		return mod(sec(4, 100, strings.Repeat("\x70\x00\x64", 100)), sec(9, 200_000, strings.Repeat("\x02\x63\x41\x00\x0b\x00\x00", 200_000)))
	}, ""},
	{"types of many functions", func() string { // each with results that its entry's block has too
		var types, functions, bodies strings.Builder
		const n = 5_000
		for i := range n {
			types.WriteString("\x60\x00" + leb(900) + strings.Repeat("\x7f", 880))
			for bit := range 20 {
				types.WriteByte("\x7f\x7e"[i>>bit&1])
			}
			functions.WriteString(leb(i))
			bodies.WriteString("\x06\x00\x10" + string([]byte{byte(i) | 0x80, byte(i>>7) | 0x80, 0}) + "\x0b")
		}
		return mod(sec(1, n, types.String()), sec(3, n, functions.String()), sec(10, n, bodies.String()))
	}, ""},
}

// wide is a type with as many parameters and results as there may be.
var wide = "\x60" + leb(1000) + strings.Repeat("\x7f", 1000) + leb(1000) + strings.Repeat("\x7f", 1000)

// manyBodies is n functions of one type with the same body.
func manyBodies(n int, typ, body string) string {
	return mod(sec(1, 1, typ), sec(3, n, strings.Repeat("\x00", n)), sec(10, n, strings.Repeat(leb(len(body))+body, n)))
}

// TestMultipliers bounds what a module may make Rewrite allocate, in proportion to its size:
// whatever is walked through was allocated or is counted by Limits.Values.
func TestMultipliers(t *testing.T) {
	for _, c := range multipliers {
		t.Run(c.name, func(t *testing.T) {
			binary := []byte(c.make())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			re, err := Rewrite(binary, Options{MaxPages: 16})
			runtime.ReadMemStats(&after)
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d bytes, %d allocated: %v", len(binary), allocated, err)
			switch {
			case c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			case err != nil && len(err.Error()) > 1000:
				t.Errorf("an error of %d bytes", len(err.Error()))
			case re != nil && len(re.Binary) > 4<<20+20*len(binary):
				t.Errorf("%d bytes rewritten to %d", len(binary), len(re.Binary))
			}
			if most := uint64(64<<20 + 64*len(binary)); allocated > most {
				t.Errorf("%d bytes made it allocate %d, more than %d", len(binary), allocated, most)
			}
		})
	}
}
