package wasm

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// atLimit makes, for each field of Limits, a module that needs the limit to be n at least.
var atLimit = map[string]func(n int) string{
	"ModuleBytes": func(n int) string { return mod(raw(0, "\x00"+strings.Repeat("\x00", n-len(header)-3))) },
	"Nesting": func(n int) string {
		return withBody("\x00" + strings.Repeat("\x02\x40", n) + strings.Repeat("\x0b", n+1))
	},
	"Functions": func(n int) string { return manyBodies(n, "\x60\x00\x00", "\x00\x0b") },
	"BodyBytes": func(n int) string { return withBody("\x00" + strings.Repeat("\x01", n-2) + "\x0b") },
	"Locals":    func(n int) string { return withBody("\x01" + leb(n) + "\x7f\x0b") },
	"Values": func(n int) string {
		return withBody("\x01" + leb(n-4) + "\x7f" + strings.Repeat("\x02\x7f\x41\x00\x0b\x1a", 4) + "\x0b")
	},
	"BranchTargets": func(n int) string {
		return withBody("\x00\x41\x00\x0e" + leb(n) + strings.Repeat("\x00", n+1) + "\x0b")
	},
	"Loops":   func(n int) string { return withBody("\x00" + strings.Repeat("\x03\x40\x0b", n) + "\x0b") },
	"Charges": func(n int) string { return withBody("\x00" + strings.Repeat("\x03\x40\x0b", n-1) + "\x0b") }, // and the entry
	"Imports": func(n int) string {
		return mod(sec(1, 1, "\x60\x00\x00"), sec(2, n, strings.Repeat("\x00\x00\x00\x00", n)))
	},
	"Exports": func(n int) string {
		var list strings.Builder
		for i := range n {
			list.WriteString("\x01" + string([]byte{byte('a' + i)}) + "\x00\x00")
		}
		return mod(sec(1, 1, "\x60\x00\x00"), sec(3, 1, "\x00"), sec(7, n, list.String()), sec(10, 1, body("")))
	},
	"Globals":   func(n int) string { return mod(sec(6, n, strings.Repeat("\x7f\x00\x41\x00\x0b", n))) },
	"Types":     func(n int) string { return mod(sec(1, n, strings.Repeat("\x60\x00\x00", n))) },
	"Params":    func(n int) string { return mod(sec(1, 1, "\x60"+leb(n)+strings.Repeat("\x7f", n)+"\x00")) },
	"Tables":    func(n int) string { return mod(sec(4, n, strings.Repeat("\x70\x00\x00", n))) },
	"TableSize": func(n int) string { return mod(sec(4, 2, "\x70\x00\x01\x70\x00"+leb(n-1))) },
	"Elements":  func(n int) string { return mod(sec(9, n, strings.Repeat("\x01\x00\x00", n))) },
	"Data":      func(n int) string { return mod(sec(11, n, strings.Repeat("\x01\x00", n))) },
	"Inits": func(n int) string {
		return mod(sec(1, 1, "\x60\x00\x00"), sec(3, 1, "\x00"), sec(5, 1, "\x00\x01"), raw(12, leb(n)), sec(10, 1, body(inits(n))), sec(11, n, strings.Repeat("\x01\x00", n)))
	},
	"Name": func(n int) string {
		return mod(sec(1, 1, "\x60\x00\x00"), sec(3, 1, "\x00"), sec(7, 1, leb(n)+strings.Repeat("a", n)+"\x00\x00"), sec(10, 1, body("")))
	},
}

// TestEveryLimit: what is at a limit is accepted, one more is refused by the limit's name.
func TestEveryLimit(t *testing.T) {
	const limit = 20
	for field := range reflect.TypeFor[Limits]().Fields() {
		build := atLimit[field.Name]
		if build == nil {
			t.Errorf("nothing is at the limit %s", field.Name)
			continue
		}
		o := Options{MaxPages: 16, MayImport: func(string, string, []byte, []byte) error { return nil }}
		reflect.ValueOf(&o.Limits).Elem().FieldByIndex(field.Index).SetInt(limit)
		if _, err := Rewrite([]byte(build(limit)), o); err != nil {
			t.Errorf("at the limit: %v", err)
		}
		_, err := Rewrite([]byte(build(limit+1)), o)
		if err == nil || !strings.Contains(err.Error(), "the limit "+field.Name) || !strings.Contains(err.Error(), strconv.Itoa(limit)) {
			t.Errorf("past the limit %s: %v", field.Name, err)
		}
	}
}

// TestElementsInAll: the items of all segments are bounded together.
func TestElementsInAll(t *testing.T) {
	_, err := Rewrite([]byte(mod(sec(1, 1, "\x60\x00\x00"), sec(3, 1, "\x00"), sec(9, 2, strings.Repeat("\x01\x00"+leb(15)+strings.Repeat("\x00", 15), 2)), sec(10, 1, body("")))), Options{Limits: Limits{Elements: 2}})
	if err == nil || !strings.Contains(err.Error(), "limit Elements (ten times) of 5") {
		t.Errorf("got %v", err)
	}
}
