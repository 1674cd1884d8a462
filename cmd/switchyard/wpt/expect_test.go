package wpt

import (
	"slices"
	"strings"
	"testing"
)

func TestReadExpectations(t *testing.T) {
	if _, err := ReadExpectations(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, err string }{
		{"# why\na \"b\"\na* \"b\"*\na *\n", ""},
		{"a \"b\"\n", "line 1: no reason"},
		{"# why\n\na \"b\"\n", "line 3: no reason"},
		{"#\na *\n", "line 2: no reason"},
		{"# why\na\n", "line 2: \"a\" names no sub-test"},
		{"# why\na \"b\n", "line 2: \"b is no quoted name"},
	} {
		_, err := parseExpectations(c.text)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %v, want %q", c.text, err, c.err)
		}
	}
}

func TestCompare(t *testing.T) {
	bar := Bar{"s@0": {"fails": Both, "passes": Both, "known": Both, "fixed": Both, "node's": Node, "absent": Both, "all 1": Both}}
	expectations, err := parseExpectations("# why\ns@0 \"known\"\ns@0 \"fixed\"\ns* \"all\"*\n")
	if err != nil {
		t.Fatal(err)
	}
	body := `{"error":null,"results":[[1,"fails","m"],[0,"passes",null],[1,"known","m"],[0,"fixed",null],[1,"node's","m"],[1,"all 1","m"]]}`
	for _, c := range []struct {
		measured bool
		error    string
		failures []string
	}{{true, "", []string{"absent", "fails"}}, {false, "", []string{"fails"}}, {false, "timeout", []string{"absent", "fails"}}} {
		o, err := Parse(Script{Key: "s@0", Measured: c.measured}, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		o.Error = c.error
		s := expectations.Compare(bar, o)
		if got := names(s.Failures); !slices.Equal(got, c.failures) {
			t.Errorf("measured %v, %q: failures %q, want %q", c.measured, c.error, got, c.failures)
		}
		if got := names(s.Passes); !slices.Equal(got, []string{"fixed"}) {
			t.Errorf("passes %q", got)
		}
	}
}

func names(all []Surprise) (list []string) {
	for _, s := range all {
		list = append(list, s.Name)
	}
	return list
}

// TestParseDuplicates: a name stands for all sub-tests that have it up to a NUL.
func TestParseDuplicates(t *testing.T) {
	o, err := Parse(Script{}, []byte(`{"error":"timeout","results":[[0,"a\u0000b",null],[1,"a","bad"],[0,"a",null]]}`))
	if err != nil {
		t.Fatal(err)
	}
	if o.Error != "timeout" || !slices.Equal(o.Results, []Result{{Name: "a", Message: "bad"}}) {
		t.Errorf("%+v", o)
	}
}
