package wasmtest

import (
	"fmt"
	"strings"
)

// generator makes a valid module out of any bytes, which decide each choice; when they run out,
// every choice is the first, which ends things. Loops count down, so most modules return; what
// recurses or multiplies is for the meter to end.
type generator struct {
	choices []byte
	m       *builder
	locals  string // types of the locals of the function at hand, parameters first
	results string
	labels  []string // types that a branch to each open block carries, the innermost last
	loops   int      // open ones, each with a counter of its own
	depth   int
	types   []signatureType
}

type signatureType struct{ params, results string }

// Locals of each function, besides its parameters. The last are the counters of loops.
const (
	generatedLocals = "iIfFiiIv"
	loopCounters    = "iii"
)

func generate(choices []byte) *builder {
	g := &generator{choices: choices, m: &builder{memory: []uint32{1, 1}, table: []uint32{4, 4}}}
	for i := range 2 + g.pick(2) {
		g.types = append(g.types, signatureType{g.someTypes(i), g.someTypes(1)})
	}
	g.m.globals = append(g.m.globals, "\x7f\x01\x41\x00\x0b", "\x7e\x01\x42\x00\x0b", "\x7d\x01\x43\x00\x00\x00\x00\x0b", "\x7c\x01\x44"+strings.Repeat("\x00", 8)+"\x0b")
	for i, t := range g.types {
		g.function(fmt.Sprint("f", i), t)
	}
	for i := range 4 {
		g.m.elements = append(g.m.elements, uint32(i%len(g.types)))
	}
	return g.m
}

func (g *generator) function(name string, t signatureType) {
	g.locals = t.params + generatedLocals + loopCounters
	g.results, g.labels, g.loops = t.results, []string{t.results}, 0
	code := g.statements(4)
	for _, r := range t.results {
		code += g.expression(r)
	}
	g.m.function(name, t.params, t.results, g.locals[len(t.params):], code)
}

// pick is a choice below n.
func (g *generator) pick(n int) int {
	if len(g.choices) == 0 {
		return 0
	}
	c := int(g.choices[0])
	g.choices = g.choices[1:]
	return c % n
}

func (g *generator) someTypes(most int) (letters string) {
	for range g.pick(most + 1) {
		letters += string("iIfF"[g.pick(4)])
	}
	return letters
}

var zeros = map[rune]string{
	'i': "i32.const 0 ", 'I': "i64.const 0 ", 'f': "i32.const 0 f32.reinterpret_i32 ", 'F': "i64.const 0 f64.reinterpret_i64 ",
	'v': "i32.const 0 i32x4.splat ",
}

// nodes are expressions by their type; a letter behind % stands for an operand.
var nodes = map[rune][]string{
	'i': {"%i %i i32.add ", "%i %i i32.mul ", "%i %i i32.sub ", "%i %i i32.div_u ", "%i %i i32.lt_u ", "%i i32.eqz ", "%I i64.eqz ",
		"%i i32.const 65535 i32.and i32.load 2 0 ", "%i i32.load8_u 0 0 ", "memory.size ", "%i memory.grow ", "%F i32.trunc_f64_s ",
		"%v i32x4.extract_lane 1 ", "%i %i %i select ", "%F %F f64.lt "},
	'I': {"%I %I i64.add ", "%I %I i64.sub ", "%i i64.extend_i32_u ", "%I %I i64.div_s ", "%I %I %i select "},
	'f': {"%f %f f32.add ", "%i f32.reinterpret_i32 ", "%f %f f32.div "},
	'F': {"%F %F f64.add ", "%I f64.reinterpret_i64 ", "%F %F f64.mul ", "%F f64.sqrt "},
	'v': {"%i i32x4.splat ", "%v %v i32x4.add ", "%i i32.const 32767 i32.and v128.load 4 0 "},
}

// expression is code that leaves a value of the type.
func (g *generator) expression(t rune) string {
	if g.depth++; g.depth > 6 {
		g.depth--
		return zeros[t]
	}
	defer func() { g.depth-- }()
	switch g.pick(8) {
	case 0:
		return zeros[t]
	case 1, 2:
		return g.local("local.get", t)
	case 3:
		if i := strings.IndexRune("iIfF", t); i >= 0 {
			return fmt.Sprintf("global.get %d ", i)
		}
	case 4:
		return g.control(t)
	case 5:
		return g.call(string(t)) + g.local("local.tee", t)
	case 6:
		if t == 'i' {
			return fmt.Sprintf("i32.const %d ", 1<<g.pick(31)-g.pick(3))
		}
	}
	return g.operands(nodes[t][g.pick(len(nodes[t]))])
}

// operands puts an expression in the place of each letter behind %.
func (g *generator) operands(form string) string {
	before, after, ok := strings.Cut(form, "%")
	if !ok {
		return form
	}
	return before + g.expression(rune(after[0])) + g.operands(after[1:])
}

// local is an instruction on one of the locals of the type.
func (g *generator) local(op string, t rune) string {
	var of []int
	for i, l := range g.locals[:len(g.locals)-len(loopCounters)] {
		if l == t {
			of = append(of, i)
		}
	}
	return fmt.Sprintf("%s %d ", op, of[g.pick(len(of))])
}

// control is a block of some kind that leaves a value of the type.
func (g *generator) control(t rune) string {
	body := func(label string) string {
		g.labels = append(g.labels, label)
		defer func() { g.labels = g.labels[:len(g.labels)-1] }()
		return g.statements(2) + g.expression(t)
	}
	switch g.pick(3) {
	case 0:
		return g.expression('i') + fmt.Sprintf("if:%c ", t) + body(string(t)) + "else " + body(string(t)) + "end "
	case 1:
		return fmt.Sprintf("block:%c ", t) + body(string(t)) + "end "
	}
	if g.loops == len(loopCounters) {
		return zeros[t]
	}
	counter := len(g.locals) - len(loopCounters) + g.loops
	g.loops++
	defer func() { g.loops-- }()
	return fmt.Sprintf("i32.const %d local.set %d loop:%c ", g.pick(20), counter, t) + body("-") +
		fmt.Sprintf("local.get %d i32.eqz if else local.get %[1]d i32.const 1 i32.sub local.set %[1]d br 1 end end ", counter)
}

// call calls one of the functions and leaves a value of type t, its own results dropped.
func (g *generator) call(t string) string {
	i := g.pick(len(g.types))
	f := g.types[i]
	code := ""
	for _, p := range f.params {
		code += g.expression(p)
	}
	if g.pick(3) == 1 {
		code += fmt.Sprintf("i32.const %d call_indirect %d 0 ", g.pick(5), g.m.typ(f.params, f.results))
	} else {
		code += fmt.Sprintf("call %d ", i)
	}
	return code + strings.Repeat("drop ", len(f.results)) + zeros[rune(t[0])]
}

func (g *generator) statements(most int) (code string) {
	for range g.pick(most + 1) {
		code += g.statement()
	}
	return code
}

func (g *generator) statement() string {
	t := rune("iIfFv"[g.pick(5)])
	switch g.pick(10) {
	case 0:
		return "nop "
	case 1:
		if t != 'v' {
			return g.expression(t) + fmt.Sprintf("global.set %d ", strings.IndexRune("iIfF", t))
		}
	case 2:
		return g.operands("%i i32.const 65532 i32.and %i i32.store 2 0 ")
	case 3:
		return g.operands("%i %i %i i32.const 255 i32.and memory.fill ")
	case 4:
		return g.operands("%i %i %i i32.const 1023 i32.and memory.copy ")
	case 5:
		return g.branch()
	case 6:
		return g.expression('i') + "if " + g.within("", g.branch) + "end "
	case 7:
		return g.expression(t) + "drop "
	}
	return g.expression(t) + g.local("local.set", t)
}

func (g *generator) within(label string, code func() string) string {
	g.labels = append(g.labels, label)
	defer func() { g.labels = g.labels[:len(g.labels)-1] }()
	return code()
}

// branch leaves an open block, never for a loop's header: their counters are at their ends.
func (g *generator) branch() string {
	l := g.pick(len(g.labels))
	to := g.labels[len(g.labels)-1-l]
	if to == "-" {
		return "nop "
	}
	code := ""
	for _, r := range to {
		code += g.expression(r)
	}
	switch g.pick(3) {
	case 0:
		return code + g.expression('i') + fmt.Sprintf("br_if %d ", l) + strings.Repeat("drop ", len(to))
	case 1:
		return g.expression('i') + "if " + g.within("", func() string {
			again := ""
			for _, r := range to {
				again += g.expression(r)
			}
			return again + fmt.Sprintf("br %d ", l+1)
		}) + "end "
	}
	return g.expression('i') + "if " + g.within("", func() string {
		again := ""
		for _, r := range to {
			again += g.expression(r)
		}
		return again + g.expression('i') + fmt.Sprintf("br_table 1 %d %d ", l+1, l+1)
	}) + "end "
}
