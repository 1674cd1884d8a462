package wasm

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// mod joins sections, each made by sec, behind the header.
func mod(sections ...string) string { return header + strings.Join(sections, "") }

// sec is a section of n items.
func sec(id byte, n int, items string) string { return raw(id, leb(n)+items) }

func raw(id byte, content string) string {
	return string([]byte{id}) + leb(len(content)) + content
}

func leb(n int) string { return string(appendU32(nil, uint32(n))) }

// withBody is a module of one function ()→() with the given locals and code.
func withBody(code string) string {
	return mod(sec(1, 1, "\x60\x00\x00"), sec(3, 1, "\x00"), sec(10, 1, leb(len(code))+code))
}

// TestRefused: what is no module, or no module for us, and what the error says.
func TestRefused(t *testing.T) {
	fn := sec(1, 1, "\x60\x00\x00") + sec(3, 1, "\x00")
	body := sec(10, 1, "\x02\x00\x0b")
	for _, c := range []struct{ name, binary, want string }{
		{"empty", "", "byte 0: not a wasm module"},
		{"version 2", "\x00asm\x02\x00\x00\x00", "byte 4: binary version 02 00 00 00"},
		{"text", "(module)", "byte 0: not a wasm module"},
		{"component", "\x00asm\x0d\x00\x01\x00", "byte 4: a component (component model) is not supported"},
		{"cut section", header + "\x01\x05\x01", "byte 10: unexpected end: 5 bytes announced, 1 left"},
		{"unknown section", mod(raw(14, "")), "byte 8: section id 14 is unknown"},
		{"repeated section", mod(sec(1, 0, ""), sec(1, 0, "")), "byte 11: section id 1 is repeated or out of order"},
		{"section order", mod(sec(3, 0, ""), sec(1, 0, "")), "repeated or out of order"},
		{"section too long", mod(sec(1, 0, "\x00")), "section id 1 has 1 bytes too many"},
		{"overlong integer", mod(raw(1, "\x80\x80\x80\x80\x80\x00")), "byte 10: integer representation too long"},
		{"large integer", mod(raw(1, "\xff\xff\xff\xff\x1f")), "byte 10: integer too large"},
		{"bad count", mod(raw(1, "\x09\x60\x00\x00")), "9 types announced in 3 bytes"},
		{"struct type", mod(sec(1, 1, "\x5f\x00\x00")), "byte 11: type form 0x5f of the GC proposal"},
		{"typed reference", mod(sec(1, 1, "\x60\x01\x64\x00\x00")), "type 0x64 of the function references"},
		{"value type", mod(sec(1, 1, "\x60\x01\x40\x00")), "0x40 is not a value type"},
		{"type index", mod(sec(3, 1, "\x00")), "type index 0 is out of range"},
		{"imported memory", mod(sec(2, 1, "\x01a\x01b\x02\x00\x01")), `import "a" "b": an imported memory is not supported`},
		{"imported table", mod(sec(2, 1, "\x01a\x01b\x01\x70\x00\x01")), `an imported table is not supported`},
		{"imported global", mod(sec(2, 1, "\x01a\x01b\x03\x7f\x01")), `an imported global is not supported`},
		{"imported tag", mod(sec(2, 1, "\x01a\x01b\x04\x00\x00")), `an imported tag (exceptions)`},
		{"import refused", mod(sec(1, 1, "\x60\x00\x00"), sec(2, 1, "\x01a\x01b\x00\x00")), `import "a" "b": no such function`},
		{"our import", mod(sec(1, 1, "\x60\x00\x00"), sec(2, 1, "\x10switchyard:meter\x05yield\x00\x00")), "the module is reserved"},
		{"import name", mod(sec(1, 1, "\x60\x00\x00"), sec(2, 1, "\x01\xff\x01b\x00\x00")), "import module name is not valid UTF-8"},
		{"memory64", mod(sec(5, 1, "\x04\x01")), "byte 11: a 64-bit memory (memory64)"},
		{"shared memory", mod(sec(5, 1, "\x03\x01\x02")), "a shared memory (threads)"},
		{"multi-memory", mod(sec(5, 2, "\x00\x01\x00\x01")), "byte 10: 2 memories (multi-memory)"},
		{"memory above the limit", mod(sec(5, 1, "\x00\x11")), "memory of 17 pages exceeds the limit MaxPages of 16"},
		{"memory upside down", mod(sec(5, 1, "\x01\x02\x01")), "minimum 2 of a memory is above its maximum 1"},
		{"memory above 4 GiB", mod(sec(5, 1, "\x01\x01\x81\x80\x04")), "at most 65536 pages"},
		{"table above the limit", mod(sec(4, 1, "\x70\x00\x80\xc2\xd7\x2f")), "100000000 elements of tables exceed the limit TableSize of 1000000"},
		{"exceptions", mod(raw(13, "\x00")), "byte 8: a tag section (exceptions)"},
		{"extended const", mod(sec(6, 1, "\x7f\x00\x41\x01\x41\x02\x6a\x0b")), "several instructions (extended const)"},
		{"constant of a global", mod(sec(6, 1, "\x7f\x00\x23\x00\x0b")), "global.get in a constant expression"},
		{"mutability", mod(sec(6, 1, "\x7f\x02\x41\x00\x0b")), "0x02 is not a mutability"},
		{"export twice", mod(fn, sec(7, 2, "\x01a\x00\x00\x01a\x00\x00"), body), `export "a" is there twice`},
		{"our export", mod(fn, sec(7, 1, "\x0fswitchyard:fuel\x00\x00"), body), `names that start with "switchyard:" are reserved`},
		{"export index", mod(fn, sec(7, 1, "\x01a\x03\x00"), body), `global index 0 is out of range`},
		{"start with parameters", mod(sec(1, 1, "\x60\x01\x7f\x00"), sec(3, 1, "\x00"), raw(8, "\x00"), body), "the start function 0 has parameters"},
		{"element out of bounds", mod(fn, sec(4, 1, "\x70\x00\x01"), sec(9, 1, "\x00\x41\x01\x0b\x01\x00"), body), "element segment at 1 with 1 items is out of bounds of a table of 1"},
		{"data out of bounds", mod(sec(5, 1, "\x00\x01"), sec(11, 1, "\x00\x41\xff\xff\x03\x0b\x02ab")), "data segment at 65535 with 2 bytes is out of bounds of a memory of 1 pages"},
		{"data offset", mod(sec(5, 1, "\x00\x01"), sec(11, 1, "\x00\x42\x00\x0b\x00")), "the offset of an active segment is not an i32"},
		{"data without memory", mod(sec(11, 1, "\x00\x41\x00\x0b\x00")), "an active data segment needs a memory"},
		{"data count", mod(raw(12, "\x02"), sec(11, 1, "\x01\x00")), "2 data segments are announced but there are 1"},
		{"missing body", mod(fn), "1 functions are declared but 0 have a body"},
		{"body too many", mod(body), "0 functions are declared but 1 have a body"},
		{"tail call", withBody("\x00\x12\x00\x0b"), "byte 23: a tail call is not supported"},
		{"try", withBody("\x00\x06\x40\x0b\x0b"), "byte 23: an instruction of the exceptions proposal"},
		{"try_table", withBody("\x00\x1f\x40\x00\x0b\x0b"), "exceptions proposal"},
		{"atomics", withBody("\x00\xfe\x00\x02\x00\x0b"), "an instruction of the threads proposal"},
		{"GC", withBody("\x00\xfb\x00\x00\x0b"), "an instruction of the GC proposal"},
		{"call_ref", withBody("\x00\x14\x00\x0b"), "function references proposal"},
		{"relaxed SIMD", withBody("\x00\xfd\x80\x02\x0b"), "byte 23: instruction 0xfd 256 of the relaxed SIMD proposal"},
		{"multi-memory access", withBody("\x00\x41\x00\x28\x42\x01\x00\x1a\x0b"), "names its memory (multi-memory)"},
		{"unknown instruction", withBody("\x00\x27\x0b"), "not an instruction: 0x27"},
		{"unknown vector instruction", withBody("\x00\xfd\x9a\x01\x0b"), "not an instruction: 0xfd 0x9a"},
		{"no end", withBody("\x00\x01"), "byte 24: unexpected end"},
		{"behind the end", withBody("\x00\x0b\x0b"), "function 0 goes on behind its end"},
		{"else without if", withBody("\x00\x05\x0b"), "else without if"},
		{"two elses", withBody("\x00\x41\x00\x04\x40\x05\x05\x0b\x0b"), "else without if"},
		{"label", withBody("\x00\x0c\x01\x0b"), "label 1 is out of range: 1 blocks are open"},
		{"table label", withBody("\x00\x41\x00\x0e\x01\x00\x05\x0b"), "label 5 is out of range"},
		{"block type", withBody("\x00\x02\x05\x0b\x0b"), "type index 5 of a block is out of range"},
		{"block value type", withBody("\x00\x02\x44\x0b\x0b"), "0x44 is not a block type"},
		{"call index", withBody("\x00\x10\x01\x0b"), "byte 23: function index 1 is out of range: there are 1"},
		{"our global", withBody("\x00\x42\x00\x24\x00\x0b"), "global index 0 is out of range"},
		{"reading our global", withBody("\x00\x23\x00\x1a\x0b"), "global index 0 is out of range"},
		{"memory.size", withBody("\x00\x3f\x00\x1a\x0b"), "instruction 0x3f needs a memory"},
		{"memory.fill", withBody("\x00\x41\x00\x41\x00\x41\x00\xfc\x0b\x00\x0b"), "instruction 0xfc 0x0b needs a memory"},
		{"data.drop", withBody("\x00\xfc\x09\x00\x0b"), "needs a data count section"},
		{"undeclared reference", withBody("\x00\xd2\x00\x1a\x0b"), "function 0 is referred to but not declared"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Rewrite([]byte(c.binary), Options{MaxPages: 16, MayImport: func(string, string, []byte, []byte) error { return errNoSuch }})
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if e != nil && (e.Offset < 0 || e.Offset > len(c.binary)) {
				t.Errorf("offset %d is outside of %d bytes", e.Offset, len(c.binary))
			}
		})
	}
}

var errNoSuch = errors.New("no such function")

func TestImportErrorUnwraps(t *testing.T) {
	_, err := Rewrite([]byte(mod(sec(1, 1, "\x60\x00\x00"), sec(2, 1, "\x01a\x01b\x00\x00"))),
		Options{MayImport: func(string, string, []byte, []byte) error { return errNoSuch }})
	if !errors.Is(err, errNoSuch) {
		t.Errorf("got %v", err)
	}
}

// TestBombs: small binaries that ask for much, and big ones, are decided at once.
func TestBombs(t *testing.T) {
	many := func(n int, item string) string { return strings.Repeat(item, n) }
	nops := "\x00" + many(1<<20-2, "\x01") + "\x0b"
	big := leb(len(nops)) + nops
	for _, c := range []struct{ name, binary, want string }{
		{"nesting", withBody("\x00" + many(60_000, "\x02\x40") + many(60_001, "\x0b")), "deeper than the limit Nesting of 1000"},
		{"locals", withBody("\x01\xff\xff\xff\xff\x0f\x7f\x0b"), "4294967295 locals of function 0 exceed the limit Locals of 50000"},
		{"groups of locals", withBody("\x03\xff\xff\xff\xff\x0f\x7f\xff\xff\xff\xff\x0f\x7f\x02\x7f\x0b"), "limit Locals"},
		{"branch table", withBody("\x00\x41\x00\x0e" + leb(70_000) + many(70_001, "\x00") + "\x0b"), "limit BranchTargets of 32768"},
		{"branch tables", withBody("\x00" + many(20, "\x41\x00\x0e"+leb(30_000)+many(30_001, "\x00")) + "\x0b"), "limit BranchTargets of 32768"},
		{"loops", withBody("\x00" + many(30_000, "\x03\x40\x0b") + "\x0b"), "exceed the limit Loops of 2000"},
		{"loops in many functions", mod(sec(1, 1, "\x60\x00\x00"), sec(3, 150, many(150, "\x00")), sec(10, 150, many(150, body(many(1500, "\x03\x40\x0b"))))), "exceed the limit Charges of 20000, ten times"},
		{"body", withBody(many(1<<20+1, "\x01")), "exceed the limit BodyBytes of 1048576"},
		{"types", mod(sec(1, 60_000, many(60_000, "\x60\x00\x00"))), "60000 types exceed the limit Types of 50000"},
		{"parameters", mod(sec(1, 1, "\x60"+leb(1001)+many(1001, "\x7f")+"\x00")), "1001 parameters exceed the limit Params of 1000"},
		{"functions", mod(sec(1, 1, "\x60\x00\x00"), sec(3, 300_000, many(300_000, "\x00"))), "300000 functions exceed the limit Functions of 200000"},
		{"imports", mod(sec(1, 1, "\x60\x00\x00"), sec(2, 2000, many(2000, "\x00\x00\x00\x00"))), "2000 imports exceed the limit Imports of 1000"},
		{"exports", mod(sec(7, 60_000, many(60_000, "\x00\x00\x00"))), "60000 exports exceed the limit Exports"},
		{"globals", mod(sec(6, 60_000, many(60_000, "\x7f\x00\x41\x00\x0b"))), "60000 globals exceed the limit Globals"},
		{"elements of tables", mod(sec(4, 100, many(100, "\x70\x00\xc0\x84\x3d"))), "2000000 elements of tables exceed the limit TableSize of 1000000"},
		{"memory.init", mod(sec(1, 1, "\x60\x00\x00"), sec(3, 1, "\x00"), sec(5, 1, "\x00\x01"), raw(12, leb(20_000)), sec(10, 1, body(inits(20_000))), sec(11, 20_000, many(20_000, "\x01\x00"))), "exceed the limit Inits of 10000"},
		{"name of an import", mod(sec(1, 1, "\x60\x00\x00"), sec(2, 1, leb(100_001)+many(100_001, "a")+"\x00\x00\x00")), "100001 bytes of an import module name exceed the limit Name of 100000"},
		{"name of an export", mod(sec(7, 1, leb(100_001)+many(100_001, "a")+"\x00\x00")), "100001 bytes of an export name exceed the limit Name of 100000"},
		{"tables", mod(sec(4, 101, many(101, "\x70\x00\x00"))), "101 tables exceed the limit Tables of 100"},
		{"elements", mod(sec(9, 300_000, many(300_000, "\x01\x00\x00"))), "300000 element segments exceed the limit Elements"},
		{"data", mod(sec(11, 300_000, many(300_000, "\x01\x00"))), "300000 data segments exceed the limit Data of 200000"},
		{"size", mod(raw(0, "\x00"+many(64<<20, "\x00"))), "exceed the limit ModuleBytes of 67108864"},
		{"16 MiB of code, wrong at its end", mod(sec(1, 1, "\x60\x00\x00"), sec(3, 17, many(17, "\x00")), sec(10, 17, many(16, big)+"\x02\x00\x01")), "unexpected end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			binary := []byte(c.binary)
			took, err := time.Hour, error(nil)
			for range 3 { // the machine may be busy
				began := time.Now()
				_, err = Rewrite(binary, Options{MaxPages: 16})
				took = min(took, time.Since(began))
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			t.Logf("%d bytes in %v", len(binary), took)
			if took > 500*time.Millisecond { // 0.1 s on an idle machine
				t.Errorf("decided in %v", took)
			}
		})
	}
}

// TestLimitsAtTheirEdge: what is just allowed is accepted.
func TestLimitsAtTheirEdge(t *testing.T) {
	many := func(n int, item string) string { return strings.Repeat(item, n) }
	for name, binary := range map[string]string{
		"nesting":       withBody("\x00" + many(1000, "\x02\x40") + many(1001, "\x0b")),
		"locals":        withBody("\x01" + leb(50_000) + "\x7f\x0b"),
		"branch table":  withBody("\x00\x41\x00\x0e" + leb(32_768) + many(32_769, "\x00") + "\x0b"),
		"body":          withBody("\x00" + many(1<<20-2, "\x01") + "\x0b"),
		"functions":     mod(sec(1, 1, "\x60\x00\x00"), sec(3, 200_000, many(200_000, "\x00")), sec(10, 200_000, many(200_000, "\x02\x00\x0b"))),
		"nothing":       mod(),
		"a deep DAG":    deepChain(100_000),
		"a long cycle":  longCycle(100_000),
		"dense indices": mod(sec(1, 1, "\x60\x00\x00"), sec(3, 2000, many(2000, "\x00")), sec(10, 2000, many(2000, body(many(2000, "\x10\x00"))))),
	} {
		began := time.Now()
		if _, err := Rewrite([]byte(binary), Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %d bytes in %v", name, len(binary), time.Since(began))
	}
}

// inits is memory.init of each of n segments.
func inits(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("\x41\x00\x41\x00\x41\x00\xfc\x08" + leb(i) + "\x00")
	}
	return b.String()
}

func body(code string) string {
	code = "\x00" + code + "\x0b"
	return leb(len(code)) + code
}

// deepChain is n functions that each call the next.
func deepChain(n int) string {
	var bodies strings.Builder
	for i := range n - 1 {
		bodies.WriteString(body("\x10" + leb(i+1)))
	}
	bodies.WriteString(body(""))
	return mod(sec(1, 1, "\x60\x00\x00"), sec(3, n, strings.Repeat("\x00", n)), sec(10, n, bodies.String()))
}

// longCycle is n functions that each call the next, and the last the first.
func longCycle(n int) string {
	var bodies strings.Builder
	for i := range n {
		bodies.WriteString(body("\x10" + leb((i+1)%n)))
	}
	return mod(sec(1, 1, "\x60\x00\x00"), sec(3, n, strings.Repeat("\x00", n)), sec(10, n, bodies.String()))
}

func TestLEB(t *testing.T) {
	for _, c := range []struct {
		bytes string
		bits  int
		want  int64
		fault string
	}{
		{"\x00", 32, 0, ""}, {"\x7f", 32, -1, ""}, {"\xff\x00", 32, 127, ""}, {"\x80\x7f", 32, -128, ""},
		{"\xff\xff\xff\xff\x07", 32, 1<<31 - 1, ""}, {"\x80\x80\x80\x80\x78", 32, -1 << 31, ""},
		{"\x80\x80\x80\x80\x08", 32, 0, "too large"}, {"\xff\xff\xff\xff\x0f", 32, 0, "too large"},
		{"\x80\x80\x80\x80\x80\x00", 32, 0, "too long"}, {"\xff\xff\xff\xff\x0f", 33, 1<<32 - 1, ""},
		{"\x80\x80\x80\x80\x70", 33, -1 << 32, ""}, {"\x80\x80\x80\x80\x20", 33, 0, "too large"},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 64, 1<<63 - 1, ""}, {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 64, -1 << 63, ""},
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 64, 0, "too large"}, {"\x80", 32, 0, "unexpected end"},
	} {
		r := reader{b: []byte(c.bytes)}
		got := r.signed(c.bits)
		if fault := fmt.Sprint(r.err); r.err != nil && (c.fault == "" || !strings.Contains(fault, c.fault)) || r.err == nil && (c.fault != "" || got != c.want) {
			t.Errorf("% x as %d bits: %d, %v; want %d %s", c.bytes, c.bits, got, r.err, c.want, c.fault)
		}
		if c.fault == "" {
			back := reader{b: appendSigned(nil, c.want)}
			if got := back.signed(c.bits); got != c.want || back.err != nil {
				t.Errorf("%d encoded and decoded is %d, %v", c.want, got, back.err)
			}
		}
	}
}
