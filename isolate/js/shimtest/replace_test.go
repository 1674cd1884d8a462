package shimtest

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
)

// Each expression is compared with the engine's own replace, which a twin that has a property of its
// own is left to.
const compareReplace = `
const twin = (r) => Object.assign(new RegExp(r.source, r.flags), { own: 1 });
const show = (f) => { const seen = []; try { return JSON.stringify([f((...a) => { seen.push(a.slice(0, -1), a.at(-1).length); return "<" + a[0] + a[1] + "\ud83d>" }), seen]) } catch (e) { return e.name + ": " + e.message } };
const out = [];
for (const [source, flags, text, how] of cases) {
	const run = (r) => show((f) => { r.lastIndex = 3; const got = text[how](r, f) + " " + text.replace(r, "-") + text.replace(r, "$&$&") + text.replace(r, "\ud800"); return got + r.lastIndex });
	let r; try { r = new RegExp(source, flags) } catch { continue }
	const a = run(r), b = run(twin(r));
	if (a !== b) out.push(r + " on " + JSON.stringify(text) + ": " + a + ", the engine " + b);
}
return out.join("\n")`

func TestReplaceLikeTheEngine(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	sources := []string{`[&<>"]`, `[&<>"']`, `&`, `<`, `a`, `\.`, `\/`, `[\/\\]`, `[\]\[]`, `[a-z]`, `[^a]`, `a|b`, `ab`, `.`, `\d`, `[\d]`, `[\n]`, `é`, `[é&]`, `(a)`, `a*`, `$`, `^a`, `[]`, `[^]`, `[-a]`, `[a-]`, `\-`, ` `, `[ ]`, `x{2}`}
	flags := []string{"g", "g", "g", "gi", "", "gu", "gy", "gs", "gm", "gd", "y", "gv"}
	pieces := []string{"a", "b", "&", "<", ">", `"`, "'", "é", "€", "😀", "\n", ".", "/", `\`, "]", "[", "-", " ", "1", "", "xx"}
	var cases [][4]string
	for range 3000 {
		text := ""
		for range random.IntN(12) {
			text += pieces[random.IntN(len(pieces))]
		}
		f := flags[random.IntN(len(flags))]
		how := "replace"
		if f != "" && f != "y" && random.IntN(2) == 0 {
			how = "replaceAll"
		}
		cases = append(cases, [4]string{sources[random.IntN(len(sources))], f, text, how})
	}
	list, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	if got := worker(t, handlerOf("const cases = "+string(list)+";"+compareReplace)).event(1, event{}); got.body != "" || got.failure {
		t.Errorf("%s %s", got.body, got.message)
	}
}

// What a guest has changed is what the standard looks at.
func TestReplaceOfWhatWasChanged(t *testing.T) {
	wantsAll(t, []saying{
		{`return "a&b".replace(/&/g, "+")`, "a+b"},
		{`const s = "ab"; return Object.is(s.replace(/&/g, "+"), s)`, "true"},
		{`const r = /&/g; r.exec = () => null; return "a&b".replace(r, "+")`, "a&b"},
		{`RegExp.prototype.exec = () => null; return "a&b".replace(/&/g, "+")`, "a&b"},
		{`Object.defineProperty(RegExp.prototype, "flags", { get: () => "" }); return "&&".replace(/&/g, "+")`, "+&"},
		{`Object.defineProperty(RegExp.prototype, "global", { get: () => false }); return "&&".replace(/&/g, "+")`, "+&"},
		{`class R extends RegExp { exec(s) { const m = super.exec(s); if (m) m[0] = "&&"; return m } } return "a&b".replace(new R("&", "g"), "+")`, "a+"},
		{`const r = Object.freeze(/&/g); try { "a".replace(r, "+") } catch (e) { return e.name }`, "TypeError"},
		{`try { RegExp.prototype[Symbol.replace].call({}, "a", "b"); return "?" } catch (e) { return e.name }`, "TypeError"},
		{`const r = /&/g; return [..."ab&"].map((c) => c.replace(r, (m, at, s) => m + at + s)).join()`, "a,b,&0&"},
		{`return "&".replace(/&/g, () => { throw new Error("x") })`, ""},
		{`return "a&".replace(/&/g, () => "x".replace(/x/g, () => "y"))`, "ay"},
		{`return "&é&".replace(/&/g, (m, at) => at) + "😀&".replace(/&/g, (m, at) => at)`, "0é2😀2"},
		{`return "a&b".replaceAll(/&/g, undefined) + "a&b".replace(/&/g, { toString: () => "o" })`, "aundefinedbaob"},
		{`const f = RegExp.prototype[Symbol.replace]; return f.name + f.length`, "[Symbol.replace]2"},
		{`const out = []; for (let i = 0; i < 100; i++) { const c = String.fromCharCode(97 + i % 26); out.push("abc".replace(new RegExp(c, "g"), c + i)) } return out.slice(-3).join()`, "abc,abc,abc"},
	})
}
