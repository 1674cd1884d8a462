package abi

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func document(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// line is a function as the table writes it, in the document's form.
func (f Function) line() string {
	args, result, _ := strings.Cut(f.Args, "->")
	return fmt.Sprintf("%s(%s) -> %s", f.Name, strings.Join(strings.Fields(args), ", "), strings.TrimSpace(result))
}

// TestDocumentHasTheTable holds ABI.md and Functions together, in their order.
func TestDocumentHasTheTable(t *testing.T) {
	var want, got []string
	for _, f := range Functions {
		want = append(want, f.line())
	}
	for _, m := range regexp.MustCompile("(?m)^### `(.*)`$").FindAllStringSubmatch(document(t), -1) {
		got = append(got, m[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("ABI.md has\n%s\nthe table\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(Functions) > 25 {
		t.Errorf("%d functions, the contract has at most 25", len(Functions))
	}
}

func TestArgumentsHaveNames(t *testing.T) {
	for _, f := range slices.Concat(Functions, WASIFunctions) {
		args, result, _ := strings.Cut(f.Args, "->")
		if n := len(strings.Fields(args)); n != len(f.Params) {
			t.Errorf("%s has %d parameters and %d names", f.Name, len(f.Params), n)
		}
		if n := len(strings.Fields(result)); n != len(f.Result) {
			t.Errorf("%s has %d results and %d names", f.Name, len(f.Result), n)
		}
	}
	for _, f := range Functions {
		if f.Params[0] != 'i' || !strings.HasPrefix(f.Args, "req") {
			t.Errorf("%s does not begin with the request's id", f.Name)
		}
	}
}

func TestDocumentHasTheCodes(t *testing.T) {
	text := document(t)
	for _, c := range Codes() {
		if row := fmt.Sprintf("| %d | `%s` |", int(c), c.String()); !strings.Contains(text, row) {
			t.Errorf("ABI.md lacks the row %s", row)
		}
	}
}

func TestDocumentHasWASI(t *testing.T) {
	_, section, _ := strings.Cut(document(t), "## WASI")
	for _, f := range WASIFunctions {
		if !strings.Contains(section, "`"+f.Name+"`") {
			t.Errorf("ABI.md does not say what %s answers", f.Name)
		}
	}
	if n := len(WASIFunctions); n != 46 {
		t.Errorf("%d functions, preview 1 has 46", n)
	}
}

func TestSignatures(t *testing.T) {
	f, ok := Import(Module, "now")
	if !ok || f.Signature() != "(i32) -> (i64)" {
		t.Errorf("now is %v %s", ok, f.Signature())
	}
	if !f.Matches([]byte{I32}, []byte{I64}) || f.Matches([]byte{I32}, []byte{I32}) || f.Matches(nil, []byte{I64}) {
		t.Error("Matches takes the wrong types")
	}
	for _, c := range [][2]string{{"env", "now"}, {Module, "later"}, {WASIModule, "now"}, {Module, "fd_write"}} {
		if _, ok := Import(c[0], c[1]); ok {
			t.Errorf("%s.%s can be imported", c[0], c[1])
		}
	}
	if f, ok := Export(ExportHandle); !ok || f.Signature() != "(i32) -> ()" {
		t.Errorf("handle is %v %s", ok, f.Signature())
	}
}

func TestCodeNames(t *testing.T) {
	if s := Gone.String(); s != "Gone" {
		t.Errorf("Gone is %s", s)
	}
	for _, c := range []Code{1, -100} {
		if want := fmt.Sprintf("Code(%d)", int(c)); c.String() != want {
			t.Errorf("%s, want %s", c.String(), want)
		}
	}
}
