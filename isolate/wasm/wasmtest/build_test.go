package wasmtest

import (
	"fmt"
	"strconv"
	"strings"
)

// builder assembles small modules for tests.
//
//	m := &builder{memory: []uint32{1}}
//	m.function("spin", "", "", "loop br 0 end")
type builder struct {
	types    []string
	bodies   []string
	funcs    []uint32
	table    []uint32 // minimum, maximum
	memory   []uint32
	globals  []string
	exports  []string
	elements []uint32 // functions in table 0 from 0 on
	start    int      // index+1
	data     []string // encoded segments
	imports  []string
}

func leb(v uint64) string {
	var b []byte
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return string(append(b, byte(v)))
}

func signedLeb(v int64) string {
	var b []byte
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return string(append(b, c))
		}
		b = append(b, c|0x80)
	}
}

func sized(s string) string { return leb(uint64(len(s))) + s }

func vector(items []string) string {
	return leb(uint64(len(items))) + strings.Join(items, "")
}

var typeBytes = map[rune]byte{'i': 0x7f, 'I': 0x7e, 'f': 0x7d, 'F': 0x7c, 'v': 0x7b, 'r': 0x70, 'x': 0x6f}

// valueTypes turns a letter a value into type bytes: i I are 32 and 64 bits, f F floats.
func valueTypes(letters string) string {
	var b []byte
	for _, l := range letters {
		b = append(b, typeBytes[l])
	}
	return string(b)
}

func (m *builder) typ(params, results string) uint32 {
	t := "\x60" + sized(valueTypes(params)) + sized(valueTypes(results))
	for i, have := range m.types {
		if have == t {
			return uint32(i)
		}
	}
	m.types = append(m.types, t)
	return uint32(len(m.types) - 1)
}

func (m *builder) imported(module, name, params, results string) {
	m.imports = append(m.imports, sized(module)+sized(name)+"\x00"+leb(uint64(m.typ(params, results))))
}

// function adds a function, exported when it has a name. Code is text; see assemble.
func (m *builder) function(name, params, results, locals, code string) uint32 {
	index := uint32(len(m.imports) + len(m.funcs))
	m.funcs = append(m.funcs, m.typ(params, results))
	var groups []string
	for _, l := range locals {
		groups = append(groups, "\x01"+string([]byte{typeBytes[l]}))
	}
	m.bodies = append(m.bodies, sized(vector(groups)+assemble(code)+"\x0b"))
	if name != "" {
		m.exports = append(m.exports, sized(name)+"\x00"+leb(uint64(index)))
	}
	return index
}

func section(id byte, content string) string { return string([]byte{id}) + sized(content) }

func limits(l []uint32) string {
	if len(l) == 1 {
		return "\x00" + leb(uint64(l[0]))
	}
	return "\x01" + leb(uint64(l[0])) + leb(uint64(l[1]))
}

func (m *builder) binary() []byte {
	b := "\x00asm\x01\x00\x00\x00" + section(1, vector(m.types))
	if m.imports != nil {
		b += section(2, vector(m.imports))
	}
	var funcs []string
	for _, f := range m.funcs {
		funcs = append(funcs, leb(uint64(f)))
	}
	b += section(3, vector(funcs))
	if m.table != nil {
		b += section(4, "\x01\x70"+limits(m.table))
	}
	if m.memory != nil {
		b += section(5, "\x01"+limits(m.memory))
	}
	if m.globals != nil {
		b += section(6, vector(m.globals))
	}
	b += section(7, vector(m.exports))
	if m.start != 0 {
		b += section(8, leb(uint64(m.start-1)))
	}
	if m.elements != nil {
		var items []string
		for _, f := range m.elements {
			items = append(items, leb(uint64(f)))
		}
		b += section(9, "\x01\x00\x41\x00\x0b"+vector(items))
	}
	if m.data != nil {
		b += section(12, leb(uint64(len(m.data))))
	}
	b += section(10, vector(m.bodies))
	if m.data != nil {
		b += section(11, vector(m.data))
	}
	return []byte(b)
}

var mnemonics = map[string]string{
	"unreachable": "\x00", "nop": "\x01", "block": "\x02", "loop": "\x03", "if": "\x04", "else": "\x05", "end": "\x0b",
	"br": "\x0c", "br_if": "\x0d", "br_table": "\x0e", "return": "\x0f", "call": "\x10", "call_indirect": "\x11",
	"drop": "\x1a", "local.get": "\x20", "local.set": "\x21", "local.tee": "\x22", "global.get": "\x23", "global.set": "\x24",
	"table.set": "\x26", "i32.load": "\x28", "i32.load8_u": "\x2d", "i32.store": "\x36", "i32.store8": "\x3a",
	"memory.size": "\x3f\x00", "memory.grow": "\x40\x00", "i32.const": "\x41", "i64.const": "\x42",
	"i32.eqz": "\x45", "i32.eq": "\x46", "i32.lt_u": "\x49", "i32.add": "\x6a", "i32.sub": "\x6b", "i32.mul": "\x6c", "i32.div_u": "\x6e",
	"i64.extend_i32_u": "\xad", "i64.add": "\x7c", "i64.sub": "\x7d", "i64.eqz": "\x50", "ref.null": "\xd0", "ref.func": "\xd2",
	"memory.init": "\xfc\x08", "data.drop": "\xfc\x09", "memory.copy": "\xfc\x0a\x00\x00", "memory.fill": "\xfc\x0b\x00",
	"v128.load": "\xfd\x00", "i32x4.extract_lane": "\xfd\x1b",
	"select": "\x1b", "i32.and": "\x71", "i32.trunc_f64_s": "\xaa", "i64.div_s": "\x7f", "f32.add": "\x92", "f32.div": "\x95",
	"f64.add": "\xa0", "f64.mul": "\xa2", "f64.lt": "\x63", "f64.sqrt": "\x9f", "f32.reinterpret_i32": "\xbe", "f64.reinterpret_i64": "\xbf",
	"i32x4.splat": "\xfd\x11", "i32x4.add": "\xfd\xae\x01",
	"table.grow": "\xfc\x0f", "table.size": "\xfc\x10", "table.fill": "\xfc\x11", "elem.drop": "\xfc\x0d",
}

// assemble turns words into code: mnemonics and the numbers that follow them. A block's type
// is written block:i, of a letter, or block:3, of a type index; without it, it is empty.
func assemble(text string) string {
	var b strings.Builder
	signed := false
	for _, word := range strings.Fields(text) {
		if n, err := strconv.ParseInt(word, 0, 64); err == nil {
			if signed {
				b.WriteString(signedLeb(n))
			} else {
				b.WriteString(leb(uint64(n)))
			}
			continue
		}
		name, typ, typed := strings.Cut(word, ":")
		code, ok := mnemonics[name]
		if !ok {
			panic(fmt.Sprintf("BUG: no mnemonic %q", word))
		}
		b.WriteString(code)
		signed = strings.HasSuffix(name, ".const")
		if name == "block" || name == "loop" || name == "if" {
			b.WriteString(blockType(typ, typed))
		}
	}
	return b.String()
}

func blockType(typ string, typed bool) string {
	if !typed {
		return "\x40"
	}
	if n, err := strconv.ParseInt(typ, 10, 64); err == nil {
		return signedLeb(n)
	}
	return valueTypes(typ)
}
