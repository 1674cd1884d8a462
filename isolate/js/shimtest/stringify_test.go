package shimtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// stringified are values and what JSON.stringify makes of them, by ECMA-262, 25.5.2.
var stringified = []struct{ call, want string }{
	{`{}`, `{}`}, {`[]`, `[]`}, {`null`, `null`}, {`"x"`, `"x"`}, {`-0`, `0`}, {`NaN`, `null`}, {`-Infinity`, `null`},
	{`1e21`, `1e+21`}, {`0.1`, `0.1`}, {`-2147483648`, `-2147483648`}, {`4294967296`, `4294967296`}, {`true`, `true`},
	{`undefined`, `undefined`}, {`() => 1`, `undefined`}, {`Symbol()`, `undefined`},
	{`[undefined, () => 1, Symbol(), , 1]`, `[null,null,null,null,1]`},
	{`{ a: undefined, b: () => 1, [Symbol("c")]: 1, d: 1 }`, `{"d":1}`}, {`{ a: 1, b: undefined }`, `{"a":1}`},
	{`{ b: 1, 2: 1, a: 1, 1: 1 }`, `{"1":1,"2":1,"b":1,"a":1}`},
	{`"\b\t\n\v\f\r\"\\/\u0000\u001f\u007f"`, `"\b\t\n\u000b\f\r\"\\/\u0000\u001f` + "\x7f\""},
	{`"é€😀\u2028"`, "\"é€😀\u2028\""}, {`"\ud800x\udc00\ud83d"`, `"\ud800x\udc00\ud83d"`}, {`"\ud7ff\ue000"`, "\"\ud7ff\ue000\""},
	{`{ "\ud800": "\udfff" }`, `{"\ud800":"\udfff"}`}, {`{ __proto__: { a: 1 }, b: 2 }`, `{"b":2}`}, {`{ ["__proto__"]: 1 }`, `{"__proto__":1}`},
	{`Object.create(null)`, `{}`}, {`new (class A { x = 1; #y = 2; get z() { return 3 } })`, `{"x":1}`},
	{`{ get a() { return [1] } }`, `{"a":[1]}`}, {`new Date(0)`, `"1970-01-01T00:00:00.000Z"`}, {`[new Date(NaN)]`, `[null]`},
	{`{ toJSON() { return { a: 1 } } }`, `{"a":1}`}, {`{ a: { toJSON(k) { return k } } }`, `{"a":"a"}`}, {`{ toJSON: 1 }`, `{"toJSON":1}`},
	{`new (class { toJSON() { return 7 } })`, `7`}, {`Object.defineProperty({ a: 1 }, "toJSON", { value: () => 2 })`, `2`},
	{`Object.defineProperty({}, "hidden", { value: 1 })`, `{}`}, {`Object.assign(() => 1, { toJSON: () => 3 })`, `3`},
	{`[new Number(3), new String("s"), new Boolean(false), Object(Symbol())]`, `[3,"s",false,{}]`},
	{`new Map([[1, 2]])`, `{}`}, {`new Set([1])`, `{}`}, {`/x/g`, `{}`}, {`new Error("x")`, `{}`}, {`new Uint8Array([1, 2])`, `{"0":1,"1":2}`},
	{`new Proxy({ a: 1, b: [2] }, {})`, `{"a":1,"b":[2]}`}, {`new Proxy([1, 2], {})`, `[1,2]`}, {`new Proxy(() => 1, {})`, `undefined`},
	{`Object.assign([1], { x: 2 })`, `[1]`}, {`Object.defineProperty([1, 2], 1, { get: () => 5 })`, `[1,5]`},
	{`(function () { return arguments })(1, 2)`, `{"0":1,"1":2}`}, {`[[[[]]], {}, [{}]]`, `[[[[]]],{},[{}]]`},
	{`{ a: [1, { b: 2 }], c: {} }, null, 2`, "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": {}\n}"},
	{`[1], null, 20`, "[\n          1\n]"}, {`[1], null, "--"`, "[\n--1\n]"}, {`[1], null, "é"`, "[\né1\n]"}, {`[1], null, "0123456789abc"`, "[\n01234567891\n]"},
	{`[1], null, 0.5`, `[1]`}, {`[1], null, -1`, `[1]`}, {`[1], null, NaN`, `[1]`}, {`[1], null, new Number(1)`, "[\n 1\n]"}, {`[1], null, true`, `[1]`},
	{`{ a: undefined, b: 1 }, null, 1`, "{\n \"b\": 1\n}"}, {`{ a: undefined }, null, 1`, `{}`},
	{`{ a: 1, b: 2 }, ["b"]`, `{"b":2}`}, {`{ a: 1, b: 2 }, (k, v) => k === "a" ? undefined : v`, `{"b":2}`},
	{`{ a: 1 }, "not a replacer"`, `{"a":1}`},
}

func TestStringify(t *testing.T) {
	var script strings.Builder
	script.WriteString("const out = [];\n")
	for _, s := range stringified {
		fmt.Fprintf(&script, "out.push(String(JSON.stringify(%s)));\n", s.call)
	}
	script.WriteString(`return out.join("\x1e")`)
	answer := worker(t, handlerOf(script.String())).event(1, event{})
	got := strings.Split(answer.body, "\x1e")
	if answer.failure || len(got) != len(stringified) {
		t.Fatalf("%d answers; %s", len(got), answer.message)
	}
	for i, s := range stringified {
		if got[i] != s.want {
			t.Errorf("JSON.stringify(%s): %q, want %q", s.call, got[i], s.want)
		}
	}
}

// What the guest can see of the way: its code runs as often, and in the order, that the standard says.
func TestStringifyRunsGuestCodeOnce(t *testing.T) {
	wantsAll(t, []saying{
		{`const seen = []; JSON.stringify({ a: 1, get b() { seen.push("b"); return 2 }, c: { toJSON() { seen.push("c") } }, d: new Proxy({}, { ownKeys() { seen.push("d"); return [] } }) }); return seen.join()`, "b,c,d"},
		{`const a = []; a[0] = a; try { JSON.stringify(a) } catch (e) { return e.name }`, "TypeError"},
		{`try { JSON.stringify({ a: 1n }) } catch (e) { return e.name }`, "TypeError"},
		{`BigInt.prototype.toJSON = () => "big"; return JSON.stringify({ a: 1n })`, `{"a":"big"}`},
		{`Object.prototype.toJSON = function () { return 1 }; return JSON.stringify({}) + JSON.stringify([{}]) + JSON.stringify("x")`, `11"x"`},
		{`Array.prototype.toJSON = function () { return "a" }; return JSON.stringify({ x: [1] })`, `{"x":"a"}`},
		{`Array.prototype[1] = "hole"; return JSON.stringify([1, , 3])`, `[1,"hole",3]`},
		{`const o = { a: { x: 1 } }, p = {}; Object.setPrototypeOf(o.a, new Proxy(p, { get: (t, k) => k === "toJSON" ? () => "proxied" : undefined })); return JSON.stringify(o)`, `{"a":"proxied"}`},
		{`const { a } = { a: {} }; return JSON.stringify([a, a, [a]])`, `[{},{},[{}]]`},
		{`let a = []; for (let i = 0; i < 4000; i++) a = [a]; return String(JSON.stringify(a).length)`, "8002"},
		{`let a = []; for (let i = 0; i < 1e5; i++) a = [a]; try { JSON.stringify(a) } catch (e) { return e.name }`, "RangeError"},
		{`let a = []; for (let i = 0; i < 1e5; i++) a = { a, d: new Date(0) }; try { JSON.stringify(a) } catch (e) { return e.name }`, "RangeError"},
		{`let a = []; for (let i = 0; i < 1e5; i++) a = { a }; try { JSON.stringify(a, (k, v) => v) } catch (e) { return e.name }`, "RangeError"},
		{`let a = {}; for (let i = 0; i < 60; i++) a = { l: a, r: a }; try { JSON.stringify(a) } catch (e) { return e.message }`, "out of memory"},
		{`return JSON.stringify.length + JSON.stringify.name + Object.keys(JSON).length`, "3stringify0"},
	})
}

// TestStringifyLikeTheEngine compares with the engine's own, which a replacer asks for, on random
// values.
func TestStringifyLikeTheEngine(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 10 {
		values := make([]string, 60)
		for i := range values {
			values[i] = "() => " + randomValue(random, 5)
		}
		script := `const out = [];
			for (const make of [` + strings.Join(values, ",\n") + `]) for (const s of [undefined, 1, "\t"]) {
				const v = make(), a = JSON.stringify(v, null, s), b = JSON.stringify(v, (k, x) => x, s);
				if (a !== b) out.push(make + ": " + a + " / " + b);
			}
			return out.join("\n")`
		if got := worker(t, handlerOf(script)).event(1, event{}); got.body != "" || got.failure {
			t.Fatalf("%s %s", got.body, got.message)
		}
	}
}

var scalars = []string{`0`, `-1`, `1.5`, `1e300`, `5e-324`, `123456789012345680000`, `NaN`, `true`, `null`, `undefined`, `"a"`, `"é"`, `"\ud800"`,
	`"\udc00\ud800"`, `"\u0007\"\\"`, `"😀"`, `() => 1`, `Symbol()`, `new Date(1e12)`, `new Number(1)`, `new String("x")`, `/r/`, `new Map()`,
	`new Uint8Array(2)`, `{ toJSON: (k) => "k" + k }`, `{ get x() { return 1 } }`, `Object.create({ inherited: 1 })`}

func randomValue(random *rand.Rand, depth int) string {
	kind := random.IntN(4)
	if depth == 0 || kind == 0 {
		return "(" + scalars[random.IntN(len(scalars))] + ")"
	}
	parts := make([]string, random.IntN(5))
	for i := range parts {
		parts[i] = randomValue(random, depth-1)
		if kind != 1 {
			parts[i] = fmt.Sprintf(`%q: %s`, []string{"a", "b c", "1", "__x", "toString", "é"}[random.IntN(6)], parts[i])
		}
	}
	if kind == 1 {
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "({" + strings.Join(parts, ", ") + "})"
}
