package shimtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// jsonTexts are texts that JSON.parse takes or refuses. A reviver asks for the engine's own parser,
// so each is compared with that, errors included.
var jsonTexts = []string{
	`0`, `-0`, `1`, `-1`, `123456789`, `1234567890`, `2147483647`, `2147483648`, `-2147483648`, `9007199254740993`, `123456789012345678901234567890`,
	`0.1`, `1.5`, `-1.25`, `1e5`, `1E+5`, `1e-5`, `1.7976931348623157e308`, `1e400`, `-1e400`, `5e-324`, `1e-400`, `4.35`, `0.000001`, `100000000000000000000`,
	`123456789012345e22`, `123456789012345e23`, `1e22`, `1e23`, `0e5`, `0.0`, `-0.0`, `-0e1`, `1e99999999999`, `1e-99999999999`,
	`01`, `-01`, `.5`, `5.`, `1e`, `1e+`, `+1`, `--1`, `-`, `1.e5`, `0x1`, `1_000`, `Infinity`, `NaN`, `-Infinity`, `1 2`,
	`true`, `false`, `null`, `tru`, `truex`, `True`, `nul`, `undefined`, ``, ` `, "\t\n\r 1 \t", "\v1", "\u00a01", "\ufeff1",
	`""`, `"a"`, `"é€😀"`, `"\u00e9"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\ud83dx"`, `"\ud83d\ud83d\ude00"`, `"\u12"`, `"\u12g4"`, `"\x41"`, `"\b\f\n\r\t\/\\\""`,
	`"\a"`, `"\`, `"`, `"a`, "\"\t\"", "\"\n\"", "\"\x00\"", "\"\x1f\"", "\"\x7f\"", `'a'`, `"a" "b"`, "\"\u2028\"",
	`[]`, `[ ]`, `[1]`, `[1,2, 3 ]`, `[1,]`, `[,1]`, `[,]`, `[1 2]`, `[`, `[1`, `]`, `[[],[[]]]`, `[[1,[2,[3]]],4]`, `[}`,
	`{}`, `{ }`, `{"a":1}`, `{"a":1,"a":2}`, `{"a" : {"b": [1, {"c": null}]}}`, `{"a":1,}`, `{a:1}`, `{'a':1}`, `{"a"}`, `{"a":}`, `{"a":1 "b":2}`, `{"a":1`, `{"a"`, `{,}`, `{"__proto__":{"x":1}}`,
	`{"__proto__":1,"__proto__":2}`, `{"1":1,"0":0,"b":2,"a":3,"10":10}`, `{"":1}`, `{"\u0061":1}`, `{"\ud800":1}`, `{"constructor":1,"toString":2,"length":3}`, `{"a":1}}`, `{"aXb":1,"aYb":2,"aZb":3}`,
	`/* c */1`, `1//c`, `[1]x`, `{"toJSON":1}`,
}

const compareParsers = `
const show = (v) => JSON.stringify(v, (k, x) => typeof x === "number" ? (Object.is(x, -0) ? "-0" : "n" + x) : x && typeof x === "object" && !Array.isArray(x) ? Object.entries(x) : x);
const outcome = (f) => { try { return show(f()) } catch (e) { return e.name + ": " + e.message } };
const out = [];
for (const text of texts) {
	const a = outcome(() => JSON.parse(text)), b = outcome(() => JSON.parse(text, (k, v) => v));
	if (a !== b) out.push(JSON.stringify(text) + ": " + a + ", the engine " + b);
}
return out.join("\n")`

func comparesParsers(t *testing.T, texts []string) {
	t.Helper()
	list, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	if got := worker(t, handlerOf("const texts = "+string(list)+";"+compareParsers)).event(1, event{}); got.body != "" || got.failure {
		t.Errorf("%s %s", got.body, got.message)
	}
}

func TestParse(t *testing.T) {
	comparesParsers(t, jsonTexts)
	wantsAll(t, []saying{
		{`return Object.hasOwn(JSON.parse('{"__proto__":1}'), "__proto__")`, "true"},
		{`const d = Object.getOwnPropertyDescriptor(JSON.parse('{"a":1}'), "a"); return [d.writable, d.enumerable, d.configurable].join()`, "true,true,true"},
		{`const a = JSON.parse("[1,2]"); a.push(3); return a.length + "," + a + Array.isArray(a)`, "3,1,2,3true"},
		{`return JSON.parse({ toString: () => "[7]" })[0]`, "7"},
		{`try { JSON.parse(undefined) } catch (e) { return e.name }`, "SyntaxError"},
		{`try { JSON.parse("[".repeat(1e5)) } catch (e) { return e.name }`, "RangeError"},
		{`try { JSON.parse("[".repeat(1e5) + "\ud800") } catch (e) { return e.name }`, "RangeError"},
		{`try { JSON.parse("[".repeat(1e5) + "]".repeat(1e5), (k, v) => v) } catch (e) { return e.name }`, "RangeError"},
		{`let n = 0, a = JSON.parse("[".repeat(2000) + "]".repeat(2000)); while (a) { n++; a = a[0] } return n`, "2000"},
		{`return JSON.parse("[" + "1,".repeat(99999) + "1]").length`, "100000"},
		{`return JSON.parse.length + JSON.parse.name`, "2parse"},
	})
}

// TestParseLikeTheEngine compares with the engine's own on random texts, most of them damaged.
func TestParseLikeTheEngine(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 5 {
		texts := make([]string, 2000)
		for i := range texts {
			texts[i] = damaged(random, randomJSON(random, 4))
		}
		comparesParsers(t, texts)
	}
}

func randomJSON(random *rand.Rand, depth int) string {
	if depth == 0 || random.IntN(3) == 0 {
		switch random.IntN(4) {
		case 0:
			return jsonTexts[random.IntN(len(jsonTexts))]
		case 1:
			return fmt.Sprint(random.NormFloat64() * 1e6)
		case 2:
			return fmt.Sprint(random.Int64() >> random.IntN(64))
		}
		return fmt.Sprintf("%q", string(rune(random.IntN(0x2500)))+"key")
	}
	parts := make([]string, random.IntN(5))
	object := random.IntN(2) == 0
	for i := range parts {
		if parts[i] = randomJSON(random, depth-1); object {
			parts[i] = fmt.Sprintf(`"k%d": %s`, random.IntN(9), parts[i])
		}
	}
	if object {
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "[" + strings.Join(parts, " , ") + "]"
}

// damaged changes, drops or doubles a byte in two of three texts.
func damaged(random *rand.Rand, text string) string {
	if text == "" {
		return text
	}
	i := random.IntN(len(text))
	switch random.IntN(6) {
	case 0:
		return text[:i] + text[i+1:]
	case 1:
		return text[:i] + string(`{}[],:"\0e.-+x `[random.IntN(15)]) + text[i:]
	case 2:
		return text[:i]
	case 3:
		return text[:i] + text[i:] + text[i:]
	}
	return text
}
