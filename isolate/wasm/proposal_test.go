package wasm

import (
	"errors"
	"strings"
	"testing"
)

// TestProposals: what is not of core 2.0 is refused by its proposal's name, at the offset of its
// first byte, which is where before ends.
func TestProposals(t *testing.T) {
	const sectionHead = header + "\x01\x01\x01" // id, size and count have the same length in all
	inBody := func(code string) (binary, before string) {
		b := withBody("\x00" + code + "\x0b")
		return b, b[:len(b)-len(code)-1]
	}
	type refused struct{ name, proposal, binary, before string }
	cases := []refused{
		{"component", "a component (component model) is not supported", "\x00asm\x0d\x00\x01\x00", "\x00asm"},
		{"memory64", "memory64", mod(sec(5, 1, "\x04\x01")), sectionHead},
		{"memory64 with maximum", "memory64", mod(sec(5, 1, "\x05\x01\x02")), sectionHead},
		{"table64", "memory64", mod(sec(4, 1, "\x70\x04\x01")), sectionHead + "\x70"},
		{"shared memory", "threads", mod(sec(5, 1, "\x03\x01\x02")), sectionHead},
		{"shared table", "threads", mod(sec(4, 1, "\x70\x03\x01\x02")), sectionHead + "\x70"},
		{"two memories", "multi-memory", mod(sec(5, 2, "\x00\x01\x00\x01")), header + "\x01\x01"},
		{"data of another memory", "multi-memory", mod(sec(5, 1, "\x00\x01"), sec(11, 1, "\x02\x01\x41\x00\x0b\x00")), mod(sec(5, 1, "\x00\x01")) + "\x01\x01\x01"},
		{"tag section", "exceptions", mod(raw(13, "\x00")), header},
		{"imported tag", "exceptions", mod(sec(2, 1, "\x00\x00\x04\x00\x00")), sectionHead},
		{"exnref", "exceptions", mod(sec(1, 1, "\x60\x01\x69\x00")), sectionHead + "\x60\x01"},
		{"struct type", "GC", mod(sec(1, 1, "\x5f\x00")), sectionHead},
		{"array type", "GC", mod(sec(1, 1, "\x5e\x7f\x00")), sectionHead},
		{"recursive types", "GC", mod(sec(1, 1, "\x4e\x00")), sectionHead},
		{"subtype", "GC", mod(sec(1, 1, "\x50\x00\x60\x00\x00")), sectionHead},
		{"anyref", "GC", mod(sec(1, 1, "\x60\x01\x6e\x00")), sectionHead + "\x60\x01"},
		{"typed reference", "function references", mod(sec(1, 1, "\x60\x01\x64\x00\x00")), sectionHead + "\x60\x01"},
		{"table with an initial value", "function references", mod(sec(4, 1, "\x40\x00\x70\x00\x01\xd0\x70\x0b")), sectionHead},
		{"extended const", "extended const", mod(sec(6, 1, "\x7f\x00\x41\x01\x41\x02\x6a\x0b")), sectionHead + "\x7f\x00\x41\x01"},
		{"continuation type", "stack switching", mod(sec(1, 1, "\x5d\x00")), sectionHead},
	}
	for _, c := range []struct{ name, proposal, code string }{
		{"try", "exceptions", "\x06\x40\x0b"}, {"throw", "exceptions", "\x08\x00"}, {"throw_ref", "exceptions", "\x0a"},
		{"rethrow", "exceptions", "\x09\x00"}, {"try_table", "exceptions", "\x1f\x40\x00\x0b"},
		{"return_call", "tail call", "\x12\x00"}, {"return_call_indirect", "tail call", "\x13\x00\x00"},
		{"call_ref", "function references", "\x14\x00"}, {"return_call_ref", "function references", "\x15\x00"},
		{"ref.as_non_null", "function references", "\xd4"}, {"br_on_null", "function references", "\xd5\x00"},
		{"ref.eq", "GC", "\xd3"}, {"struct.new", "GC", "\xfb\x00\x00"},
		{"atomic load", "threads", "\xfe\x10\x02\x00"}, {"atomic fence", "threads", "\xfe\x03\x00"},
		{"relaxed swizzle", "relaxed SIMD", "\xfd\x80\x02"}, {"relaxed dot product", "relaxed SIMD", "\xfd\x93\x02"},
		{"wide arithmetic", "wide arithmetic", "\xfc\x13"}, {"suspend", "stack switching", "\xe2\x00"},
	} {
		binary, before := inBody(c.code)
		cases = append(cases, refused{c.name, c.proposal, binary, before})
	}
	// The memory index is part of what follows the instruction.
	binary, before := inBody("\x28\x42\x01\x00")
	cases = append(cases, refused{"load from another memory", "multi-memory", binary, before + "\x28"})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Rewrite([]byte(c.binary), Options{MaxPages: 16})
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(e.Msg, c.proposal) || !strings.Contains(e.Msg, "not supported") {
				t.Fatalf("got %v, want a refusal of %s", err, c.proposal)
			}
			if e.Offset != len(c.before) {
				t.Errorf("%v: want offset %d", err, len(c.before))
			}
		})
	}
}
