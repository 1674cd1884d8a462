package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// callee has entry points of every kind.
const callee = `import { WorkerEntrypoint } from "cloudflare:workers";
class Named extends Error { constructor(m) { super(m); this.name = "NamedError"; } }
function fail(kind) {
	switch (kind) {
		case "type": throw new TypeError("bad type");
		case "plain": throw new Error("plain");
		case "custom": throw new (class extends RangeError {})("custom");
		case "named": throw new Named("named");
		case "string": throw "text";
		case "dom": throw new DOMException("gone", "AbortError");
		case "aggregate": throw new AggregateError([1], "several");
		case "cause": throw new Error("outer", { cause: new TypeError("inner") });
	}
	return new Response("no failure");
}
export default {
	fetch(request) { return fail(new URL(request.url).pathname.slice(1)); },
	hello(name, env, ctx) { return [name, typeof env, typeof ctx.waitUntil]; },
};
export class Admin extends WorkerEntrypoint {
	constructor(ctx, env) { super(ctx, env); this.own = () => 1; this.field = 3; }
	async sum(...numbers) { await scheduler.wait(1); return numbers.reduce((a, b) => a + b, 0); }
	echo(value) { return value; }
	fail(kind) { fail(kind); }
	get answer() { return 42; }
	props() { return this.ctx.props; }
	setting() { return this.env.SETTING; }
	instance() { return new (class Foo { x = 1 })(); }
	symbol() { return Symbol("x"); }
	fetch() { return Response.json(this.ctx.props); }
}`

// caller runs the tale in its source and answers with what came of each line.
const caller = `async function told(tale) {
	try {
		return JSON.stringify(await tale()) ?? "undefined";
	} catch (e) {
		return [e?.constructor?.name, e?.name, e?.message, e?.remote].join("|");
	}
}
export default { async fetch(request, env, ctx) {
	const { B, E } = env;
	const tales = {
		sum: () => E.sum(1, 2, 3), echo: () => E.echo({ a: [1, null, { b: "x" }], u: undefined }),
		special: async () => { const v = await E.echo([NaN, -0, 10n, undefined]); return [Number.isNaN(v[0]), Object.is(v[1], -0), v[2] === 10n, v.length]; },
		map: async () => { const m = await E.echo(new Map([["d", new Date(5)], [{ k: 1 }, new Set([1, 2])]])); return [m instanceof Map, m.get("d").getTime(), [...m.values()][1].size]; },
		bytes: async () => { const { v, b } = await E.echo((() => { const v = new Uint8Array([1, 2, 3, 4]).subarray(1, 3); return { v, b: v.buffer }; })()); return [...v, v.byteOffset, v.buffer === b, b.byteLength]; },
		cycle: async () => { const a = { list: [] }; a.self = a; a.list.push(a); const c = await E.echo(a); return [c.self === c, c.list[0] === c]; },
		error: async () => { const e = await E.echo(new TypeError("x", { cause: 3 })); return [e instanceof TypeError, e.message, e.cause, e.remote === undefined]; },
		regexp: async () => { const r = await E.echo(/a+/gi); return [r.source, r.flags]; },
		large: async () => (await E.echo("x".repeat(300_000))).length,
		answer: async () => E.answer, props: () => E.props(), setting: () => E.setting(), fetched: async () => (await E.fetch("http://x/")).json(),
		hello: () => B.hello("you"), hello2: () => B.hello(1, 2), missing: () => E.nope(), own: () => E.own(), field: () => E.field,
		instance: () => E.instance(), argument: () => E.echo(new (class Foo { x = 1 })()), symbol: () => E.symbol(), callback: () => E.echo(() => 1),
		then: async () => [await E === E, typeof E.then, typeof E.foo, "foo" in E, String(E), E.constructor.name],
		context: () => [JSON.stringify(ctx.props), ctx.props === ctx.props],
		parallel: () => Promise.all([1, 2, 3].map((n) => E.sum(n, n))),
	};
	for (const kind of ["type", "plain", "custom", "named", "string", "dom", "aggregate", "cause"]) {
		tales["fetch " + kind] = () => B.fetch("http://b/" + kind);
		tales["rpc " + kind] = () => E.fail(kind);
	}
	const out = {};
	for (const [name, tale] of Object.entries(tales)) out[name] = await told(tale);
	return Response.json(out);
} }`

// told is what workerd says to the same tales, but for callback: it passes functions on as stubs.
var told = map[string]string{
	"sum": "6", "echo": `{"a":[1,null,{"b":"x"}]}`, "special": "[true,true,true,4]", "map": "[true,5,2]", "bytes": "[2,3,1,true,4]",
	"cycle": "[true,true]", "error": `[true,"x",3,true]`, "regexp": `["a+","gi"]`, "large": "300000",
	"answer": "42", "props": `{"depth":{"n":1},"tenant":"x"}`, "setting": `"on"`, "fetched": `{"depth":{"n":1},"tenant":"x"}`,
	"hello":    `["you","object","function"]`,
	"missing":  `TypeError|TypeError|The RPC receiver does not implement the method "nope".|true`,
	"own":      `TypeError|TypeError|The RPC receiver does not implement the method "own".|true`,
	"field":    `TypeError|TypeError|The RPC receiver does not implement the method "field".|true`,
	"instance": `DOMException|DataCloneError|Could not serialize object of type "Foo". This type does not support serialization.|true`,
	"argument": `DOMException|DataCloneError|Could not serialize object of type "Foo". This type does not support serialization.|`,
	"symbol":   `DOMException|DataCloneError|Symbol(x) could not be cloned.|true`,
	"callback": `DOMException|DataCloneError|A function could not be cloned.|`,
	"then":     `[true,"undefined","function",true,"[object Fetcher]","Fetcher"]`,
	"context":  `["{}",true]`, "parallel": "[2,4,6]",
	"type": "TypeError|TypeError|bad type|true", "plain": "Error|Error|plain|true", "custom": "RangeError|RangeError|custom|true",
	"named": "Error|Error|NamedError: named|true", "string": "Error|Error|text|true", "dom": "DOMException|AbortError|gone|true",
	"aggregate": "AggregateError|AggregateError|several|true", "cause": "Error|Error|outer|true",
}

func service(name, target, entrypoint string, props map[string]any) map[string]any {
	b := map[string]any{"type": "service", "name": name, "service": target}
	if entrypoint != "" {
		b["entrypoint"] = entrypoint
	}
	if props != nil {
		b["props"] = props
	}
	return b
}

// TestRPC: methods of another Worker, its exceptions, entry points and props.
func TestRPC(t *testing.T) {
	p := serve(t, t.TempDir(), "--entry", "caller")
	p.deploy(plainScripts+"callee", script(callee, text("SETTING", "on")))
	p.deploy(plainScripts+"caller", script(caller, service("B", "callee", "", nil),
		service("E", "callee", "Admin", map[string]any{"tenant": "x", "depth": map[string]int{"n": 1}})))
	tail := p.tail(plainScripts+"callee", `{"filters":[{"outcome":["exception"]}]}`)
	_, body := p.get("http://x.example.com/")
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	for name, answer := range got {
		want, ok := told[name]
		if kind := strings.TrimPrefix(strings.TrimPrefix(name, "fetch "), "rpc "); !ok {
			want = told[kind]
		}
		if name == "hello2" {
			ok = strings.Contains(answer, "wrong number of arguments")
			want = answer
		}
		if answer != want || want == "" && !ok {
			t.Errorf("%s: %s\nwant %s", name, answer, want)
		}
	}
	if len(got) < 40 {
		t.Errorf("%d tales were told", len(got))
	}
	item := tail()
	for item.Event.RPCMethod != "fail" {
		item = tail()
	}
	if item.Entrypoint != "Admin" || item.Exceptions[0].Message != "bad type" {
		t.Errorf("tail: %+v", item)
	}
	for end := time.Now().Add(10 * time.Second); !strings.Contains(p.log.String(), "[cause]: TypeError: inner") && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if !strings.Contains(p.log.String(), "[cause]: TypeError: inner") {
		t.Error("the log does not tell of an exception's cause")
	}
	if _, e := p.api("GET", plainScripts+"caller/bindings", "", nil); !strings.Contains(string(e.Result), `"props":{"depth":{"n":1},"tenant":"x"}`) {
		t.Errorf("bindings: %s", e.Result)
	}
	if status, e := p.upload(plainScripts+"bad", script(caller, map[string]any{"type": "service", "name": "B", "service": "callee", "props": 5})); status != 400 || !strings.Contains(e.message(), "props") {
		t.Errorf("props that are no object: %d %s", status, e.message())
	}
}

// TestDispatchArgs: what get()'s second argument means to a user Worker, and methods by dispatch.
func TestDispatchArgs(t *testing.T) {
	p := serve(t, t.TempDir(), "--entry", "dispatcher")
	p.createNamespace("production")
	p.deploy(customers("production")+"a", script(callee+`
export class Open extends WorkerEntrypoint { fetch() { return Response.json(["open", this.ctx.props]); } }`))
	p.deploy(plainScripts+"dispatcher", script(`export default { async fetch(request, { DISPATCHER: D }) {
		const answers = [];
		const tell = async (tale) => { try { answers.push(await tale()); } catch (e) { answers.push(e.name + ": " + e.message + " " + e.remote); } };
		await tell(async () => (await D.get("a", { entrypoint: "Open", props: { user: 1 } }).fetch(request.url)).json());
		await tell(async () => (await D.get("a", { entrypoint: "Open" }).fetch(request.url)).json());
		await tell(() => D.get("a", { entrypoint: "Admin", props: { user: 2 } }).props());
		await tell(() => D.get("a", { user: 3, entrypoint: "Admin" }).props());
		await tell(() => D.get("a").hello("x"));
		await tell(() => D.get("a", { entrypoint: "Admin" }).fail("type"));
		await tell(() => D.get("nobody").method());
		await tell(() => D.get("a", { entrypoint: 5 }).method());
		await tell(() => D.get("a", { props: 5 }).method());
		await tell(() => D.get("a", { entrypoint: "Admin" }, { limits: { cpuMs: 20 } }).sum(1, 2));
		return Response.json(answers);
	} }`, dispatcherBinding("production", "")))
	want := `[["open",{"user":1}],["open",{}],{"user":2},{},["x","object","function"],"TypeError: bad type true","Error: Worker not found undefined",` +
		`"Error: args.entrypoint must be a string undefined","Error: args.props must be an object undefined",3]`
	if _, body := p.get("http://x.example.com/"); body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

// TestTailWorker: a tail Worker is told of the calls of the scripts that name it.
func TestTailWorker(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	if status, e := p.upload(customers("production")+"a", worker{main: "index.js", modules: map[string]string{"index.js": talker},
		metadata: map[string]any{"tail_consumers": []map[string]string{{"service": "nobody"}}}}); status != 400 || !strings.Contains(e.message(), "tail_consumers[0].service") {
		t.Errorf("a tail Worker that is not there: %d %s", status, e.message())
	}
	p.deploy(plainScripts+"watcher", script(`export default { async tail(events, env, ctx) {
		for (const e of events) {
			const request = e.event.request;
			console.log("saw", e.scriptName, new URL(request.getUnredacted().url).pathname, e.event.response?.status, e.outcome, e.logs.map((l) => l.message), e.exceptions.map((x) => x.name), env.SETTING);
		}
		if (events.some((e) => e.outcome === "exception")) throw new Error("tail failed");
	} }`, text("SETTING", "on")))
	w := script(talker)
	w.metadata["tail_consumers"] = []map[string]string{{"service": "watcher"}}
	p.deploy(customers("production")+"a", w)
	next := p.tail(plainScripts+"watcher", "")
	p.get("http://a.example.com/log")
	item := next()
	message, _ := json.Marshal(item.Logs[0].Message)
	if want := `["saw","a","/log",200,"ok",[["hello",{"a":[1,2]},3],["careful"]],[],"on"]`; string(message) != want {
		t.Errorf("the tail Worker saw %s\nwant %s", message, want)
	}
	if len(item.Event.Consumed) != 1 || item.Event.Consumed[0].ScriptName != "a" || item.Outcome != "ok" {
		t.Errorf("the tail Worker's own item: %+v", item)
	}
	p.get("http://a.example.com/throw")
	if item = next(); item.Outcome != "exception" || item.Exceptions[0].Message != "tail failed" {
		t.Errorf("a tail Worker that throws: %+v", item)
	}
}
