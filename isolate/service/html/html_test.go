package html

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"switchyard/isolate/service"
)

// rewrite tells a document to a rewriter in pieces, and returns the bytes that came back and a line
// for every event; texts in a row are one.
func rewrite(t *testing.T, spec string, pieces ...string) (string, string, error) {
	t.Helper()
	a, err := Serve(&service.Request{Method: makeRewriter, Parts: [][]byte{[]byte(spec)}})
	if err != nil {
		return "", "", err
	}
	var raw, told strings.Builder
	ask := func(method, next uint32, piece string) {
		for going := true; going && err == nil; method, piece = next, "" {
			var events service.Answer
			if events, err = Serve(&service.Request{Method: method, Object: a.Object, Parts: [][]byte{[]byte(piece)}}); err == nil {
				going = tell(t, events.Bytes, &raw, &told)
			}
		}
	}
	for _, p := range pieces {
		ask(write, more, p)
	}
	ask(end, end, "")
	return raw.String(), told.String(), err
}

func tell(t *testing.T, answer []byte, raw, told *strings.Builder) (more bool) {
	t.Helper()
	n := binary.LittleEndian.Uint32(answer)
	var events []any
	if err := json.Unmarshal(answer[4:4+n], &events); err != nil {
		t.Fatalf("%v in %q", err, answer)
	}
	raw.Write(answer[4+n:])
	length := 0
	for _, e := range events[1:] {
		if passed, ok := e.(float64); ok {
			length += int(passed)
			continue
		}
		e := e.([]any)
		length += int(e[1].(float64))
		if e[0] == 3.0 {
			fmt.Fprintf(told, "%s%s", e[3], map[bool]string{true: "$\n"}[e[4].(bool)])
		} else {
			fmt.Fprintln(told, e[0], e[2:])
		}
	}
	if length != len(answer)-4-int(n) {
		t.Fatalf("events have %d bytes of %d", length, len(answer)-4-int(n))
	}
	return events[0] == 1.0
}

const everything = `{"Document":15,"Selectors":[{"Selector":"*","Wants":7},{"Selector":"p > b, .x","Wants":7}]}`

// A document comes back byte for byte, whatever it is, and its events do not depend on how it is
// cut into pieces.
func TestAnyDocument(t *testing.T) {
	parts := []string{"<p>", "</p>", "<b class=x>", "</b>", "<script>", "</script>", "<!--", "-->", "--!>", "<![CDATA[", "]]>",
		"<svg>", "</svg>", "<title>", "</title>", "<style>", "</style>", "text", "é", "\xff", "\xe2\x82", "<", ">", "\"", "'", "=", "/", " ", "-", "!",
		"<!doctype html>", "<a href='", "<br/>", "<div", "&amp;", "\n", "\x00", "<math><mi>", "</", "</mi>", "<foreignObject>", "</scr", "<plaintextx>", "<?x"}
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 3000 {
		var document strings.Builder
		for range random.IntN(20) {
			document.WriteString(parts[random.IntN(len(parts))])
		}
		text := document.String()
		raw, whole, err := rewrite(t, everything, text)
		if err != nil || raw != text {
			t.Fatalf("%q comes back as %q, error %v", text, raw, err)
		}
		var pieces []string
		for rest := text; rest != ""; {
			n := 1 + random.IntN(min(len(rest), 5))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		raw, cut, err := rewrite(t, everything, pieces...)
		if err != nil || raw != text || cut != whole {
			t.Fatalf("%q comes back as %q, error %v; whole:\n%s\nin pieces:\n%s", text, raw, err, whole, cut)
		}
	}
}

func TestCeilings(t *testing.T) {
	for _, s := range []struct{ name, spec, document, want string }{
		{"a long tag", everything, "<a b='" + strings.Repeat("x", maxMemory), "memory limit"},
		{"a long comment", everything, "<!--" + strings.Repeat("x", maxMemory), "memory limit"},
		{"many open elements", everything, strings.Repeat("<p>", maxMemory/elementMemory+1), "memory limit"},
		{"a long text is none", everything, strings.Repeat("x", 2*maxMemory), ""},
		{"many events are told in parts", everything, strings.Repeat("<br>", 100_000), ""},
		{"a long selector", `{"Selectors":[{"Selector":"` + strings.Repeat("a", maxSelector+1) + `"}]}`, "", "too long"},
		{"deep negation", `{"Selectors":[{"Selector":"` + strings.Repeat(":not(", 100) + `"}]}`, "", "too long"},
		{"many selectors", `{"Selectors":[` + strings.Repeat(`{"Selector":"a"},`, maxRegistrations) + `{"Selector":"a"}]}`, "", "too many"},
	} {
		_, _, err := rewrite(t, s.spec, s.document)
		if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)) {
			t.Errorf("%s: error %v, want %q", s.name, err, s.want)
		}
	}
}

// Whatever is said to be a selector is one or is refused.
func TestAnySelector(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const letters = "ab.#[]=~|^$*:>+, '\"()\\-1n/é"
	for range 20_000 {
		text := make([]byte, random.IntN(12))
		for i := range text {
			text[i] = letters[random.IntN(len(letters))]
		}
		if list, err := parseSelectors(string(text)); err == nil {
			e := candidate{tag: &tag{name: "a"}, index: 1, ofType: 1}
			for _, s := range list {
				s[0].matches(&e)
			}
		}
	}
}

func BenchmarkPass(b *testing.B)  { benchmark(b, `{"Selectors":[{"Selector":"nothing","Wants":1}]}`) }
func BenchmarkEvery(b *testing.B) { benchmark(b, everything) }

func benchmark(b *testing.B, spec string) {
	document := bytes.Repeat([]byte("<div class=\"a b\"><p id=x>Some text of a page.</p><a href='/y'>more</a></div>\n"), 800)
	b.SetBytes(int64(len(document)))
	for b.Loop() {
		w, err := newRewriter([]byte(spec))
		if err != nil {
			b.Fatal(err)
		}
		w.feed(document)
		for w.waiting() > 0 {
			if _, err := w.run(false); err != nil {
				b.Fatal(err)
			}
		}
	}
}
