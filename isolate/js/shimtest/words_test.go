package shimtest

import (
	"fmt"
	"strings"
	"testing"
)

// TestErrorWords: errors of the language itself have V8's words.
func TestErrorWords(t *testing.T) {
	stories := []struct{ code, want string }{
		{`a.foo.bar`, "TypeError: Cannot read properties of undefined (reading 'bar')"},
		{`nil[key]`, "TypeError: Cannot read properties of null (reading 'x')"},
		{`none.foo = 1`, "TypeError: Cannot set properties of undefined (setting 'foo')"},
		{`nope()`, "ReferenceError: nope is not defined"},
		{`w; let w = 1`, "ReferenceError: Cannot access 'w' before initialization"},
		{`frozen = 1`, "TypeError: Assignment to constant variable."},
		{`frozen++`, "TypeError: Assignment to constant variable."},
		{`frozen.x = 1`, "TypeError: Cannot assign to read only property 'x' of object"},
		{`frozen[key] = 1`, "TypeError: Cannot assign to read only property 'x' of object"},
		{`const [x] = none`, "TypeError: undefined is not iterable (cannot read property Symbol(Symbol.iterator))"},
		{`new D()`, "ReferenceError: Must call super constructor in derived class before accessing 'this' or returning from derived constructor"},
		{`K()`, "TypeError: Class constructor K cannot be invoked without 'new'"},
		{`Map()`, "TypeError: Constructor Map requires 'new'"},
		{`K.get({})`, "TypeError: Cannot read private member #p from an object whose class did not declare it"},
		// What is called is said as it is written.
		{`none()`, "TypeError: none is not a function"},
		{`a.b.c(1, 2)`, "TypeError: a.b.c is not a function"},
		{"a\n.b\n.c(1, 2)", "TypeError: a.b.c is not a function"},
		{`a?.b?.c()`, "TypeError: a?.b?.c is not a function"},
		{`a.list[0].x()`, "TypeError: a.list[0].x is not a function"},
		{`/* Größe 🚂 */ a.b.c()`, "TypeError: a.b.c is not a function"},
		{`"text".foo()`, "TypeError: (intermediate value).foo is not a function"},
		{`new a.b.c()`, "TypeError: a.b.c is not a constructor"},
		{`(() => (0, a.b)())()`, "TypeError: not a function"},
		{`[1].map(5)`, "TypeError: not a function"},
		// Conversions and ranges.
		{`Symbol() + ""`, "TypeError: Cannot convert a Symbol value to a string"},
		{`1n + 1`, "TypeError: Cannot mix BigInt and other types, use explicit conversions"},
		{`1n / 0n`, "RangeError: Division by zero"},
		{`[].reduce((x) => x)`, "TypeError: Reduce of empty array with no initial value"},
		{`new Array(-1)`, "RangeError: Invalid array length"},
		{`new Date(NaN).toISOString()`, "RangeError: Invalid time value"},
		{`decodeURIComponent("%")`, "URIError: URI malformed"},
		{`"a".replaceAll(/a/, "")`, "TypeError: String.prototype.replaceAll called with a non-global RegExp argument"},
		{`Object.keys(null)`, "TypeError: Cannot convert undefined or null to object"},
		{`const c = {}; c.c = c; JSON.stringify(c)`, "TypeError: Converting circular structure to JSON"},
		{`JSON.stringify(1n)`, "TypeError: Do not know how to serialize a BigInt"},
		// JSON.
		{`JSON.parse("")`, "SyntaxError: Unexpected end of JSON input"},
		{`JSON.parse("{bad")`, "SyntaxError: Expected property name or '}' in JSON at position 1 (line 1 column 2)"},
		{`JSON.parse('{"a":1,}')`, "SyntaxError: Expected double-quoted property name in JSON at position 7 (line 1 column 8)"},
		{`JSON.parse('{"a":1, \n }', (k, v) => v)`, "SyntaxError: Expected double-quoted property name in JSON at position 10 (line 2 column 2)"},
		{`JSON.parse("undefined")`, `SyntaxError: "undefined" is not valid JSON`},
		{`JSON.parse({})`, `SyntaxError: "[object Object]" is not valid JSON`},
		{`JSON.parse("<html>")`, `SyntaxError: Unexpected token '<', "<html>" is not valid JSON`},
		{`JSON.parse("<!DOCTYPE html><html></html>")`, `SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON`},
		{`JSON.parse('{"a": ü, "b": 12345678901234567890}')`, `SyntaxError: Unexpected token 'ü', "{"a": ü, "b": 12"... is not valid JSON`},
		{`JSON.parse('{"0123456789": [1, 2, üüüü] }')`, `SyntaxError: Unexpected token 'ü', ..."": [1, 2, üüüü] }" is not valid JSON`},
	}
	var cases strings.Builder
	for _, s := range stories {
		fmt.Fprintf(&cases, "function() { %s },\n", s.code)
	}
	g := worker(t, `const a = { b: { c: 1 }, list: [1] }, none = undefined, nil = null, frozen = Object.freeze({ x: 1 }), key = "x";
		class K { #p = 1; static get(o) { return o.#p } }
		class D extends K { constructor() { this.x = 1 } }
		const stories = [`+cases.String()+`];
		export default { fetch(request) { stories[new URL(request.url).pathname.slice(1)]();  return new Response("nothing") } };`)
	for i, s := range stories {
		equal(t, s.code, g.event(uint32(i+1), event{url: fmt.Sprintf("https://a.test/%d", i)}).message, s.want)
	}
}

// TestJSONErrorFrames: who parsed is in the stack.
func TestJSONErrorFrames(t *testing.T) {
	g := worker(t, "function load(text) {\n  return JSON.parse(text); }\nexport default { fetch() { return load('{') } }")
	if stack := g.event(1, event{}).stack; !strings.Contains(stack, "at load (main.js:2:") {
		t.Errorf("stack: %s", stack)
	}
}
