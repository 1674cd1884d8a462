import { stories } from "./engine.mjs";

// shown is what console.log(EXPRESSION) puts into the log.
const shown = (expression, text) => [expression, `console.log(${expression}); return mock.logs[0][1];`, text];

stories([
  shown(`"a", 1, true, null, undefined`, "a 1 true null undefined"),
  shown(`-0, 10n, Symbol("s")`, "-0 10n Symbol(s)"),
  shown(`["it's", 'a"b', "n\\n"]`, `[ "it's", 'a"b', 'n\\n' ]`),
  shown(`{ a: 1, "b-c": { d: { e: { f: 1 } } } }`, "{ a: 1, 'b-c': { d: { e: [Object] } } }"),
  shown(`[1, , , 4]`, "[ 1, <2 empty items>, 4 ]"),
  shown(`new Array(1e9)`, "[ <1000000000 empty items> ]"),
  shown(`Array.from({ length: 102 }, () => 0).length, [[]], [{}]`, "102 [ [] ] [ {} ]"),
  shown(`new Map([["a", { b: 1 }]]), new Set([1, "2"])`, "Map(1) { 'a' => { b: 1 } } Set(2) { 1, '2' }"),
  shown(`new Uint8Array([1, 2]), new ArrayBuffer(3)`, "Uint8Array(2) [ 1, 2 ] ArrayBuffer { [Uint8Contents]: <00 00 00>, byteLength: 3 }"),
  shown(`Array.from({ length: 30 }, (_, i) => i)`, "[\n   0,  1,  2,  3,  4,  5,  6,  7,  8,\n   9, 10, 11, 12, 13, 14, 15, 16, 17,\n  18, 19, 20, 21, 22, 23, 24, 25, 26,\n  27, 28, 29\n]"),
  shown(`["red", "green", "blue", "white", "black", "grey", "pink"]`, "[\n  'red',   'green',\n  'blue',  'white',\n  'black', 'grey',\n  'pink'\n]"),
  shown(`new (class Table extends Map {})([[1, 2]]), new WeakMap(), Object(1n)`, "Table(1) [Map] { 1 => 2 } WeakMap { <items unknown> } [BigInt: 1n]"),
  shown(`new Headers({ x: "y" })`, "Headers(1) { 'x' => 'y' }"),
  shown(`{ e: Object.assign(new Error("m"), { stack: "Error: m\\n    at f (a.js:1:2)" }) }`, "{\n  e: Error: m\n      at f (a.js:1:2)\n}"),
  shown(`new Date(0), new Date(NaN), /a\\/b/gi`, "1970-01-01T00:00:00.000Z Invalid Date /a\\/b/gi"),
  shown(`function f() {}, () => {}, class A {}, async () => {}`, "[Function: f] [Function (anonymous)] [class A] [AsyncFunction (anonymous)]"),
  shown(`new (class Point { x = 1 }), Object.create(null)`, "Point { x: 1 } [Object: null prototype] {}"),
  shown(`(() => { const a = { n: 1 }; a.self = a; return a; })()`, "<ref *1> { n: 1, self: [Circular *1] }"),
  shown(`{ get a() { throw 1 }, set a(v) {}, get b() { throw 1 }, set c(v) {} }`, "{ a: [Getter/Setter], b: [Getter], c: [Setter] }"),
  shown(`{ toString() { throw 1 }, [Symbol.toStringTag]: "T", [Symbol("k")]: 1 }`,
    "Object [T] {\n  toString: [Function: toString],\n  [Symbol(Symbol.toStringTag)]: 'T',\n  [Symbol(k)]: 1\n}"),
  shown(`(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()`, "[object that cannot be inspected]"),
  shown(`new Number(1), new String("s"), new Boolean(false)`, "[Number: 1] [String: 's'] [Boolean: false]"),
  shown(`"%s is %d and %i, %f, %j %o %% %c!", "x", "4.5", 4.9, "1.5", {a:1}, [1], "css", "rest"`, "x is 4.5 and 4, 1.5, {\"a\":1} [ 1 ] % ! rest"),
  shown(`"100%", "a"`, "100% a"),
  shown(`new Response("", { status: 404 })`, "Response { status: 404, headers: Headers(0) {}, bodyUsed: false }"),
  ["an error shows its stack, its cause and its own fields", `
    const error = new TypeError("bad", { cause: new Error("why") });
    error.code = 7;
    console.log(error);
    const lines = mock.logs[0][1].split("\\n").map((line) => line.trim().replace(/\\(.*\\)/, "(…)"));
    return [lines[0], lines.some((l) => l.startsWith("at ")), lines.some((l) => l.startsWith("[cause]: Error: why")), lines.some((l) => l.includes("code: 7"))];
  `, ["TypeError: bad", true, true, true]],
  ["levels", `
    console.debug(1); console.log(1); console.info(1); console.warn(1); console.error(1); console.trace("t"); console.assert(false, "no");
    return mock.logs.map(([level]) => level);
  `, [0, 4, 1, 2, 3, 0, 3]],
  ["a line has a ceiling", `
    console.log("x".repeat(1e6));
    console.log(Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => "y".repeat(5000))));
    return mock.logs.map(([, text]) => text.length < 17_000 && text.endsWith("more characters"));
  `, [true, true]],
  ["groups, counts and clocks", `
    console.group("g"); console.log("a\\nb"); console.groupEnd(); console.count(); console.count("default"); console.countReset("x");
    console.time("t"); mock.time += 5; console.timeLog("t", 1); console.timeEnd("t"); console.timeEnd("t");
    return mock.logs.map(([, text]) => text);
  `, ["g", "  a\n  b", "default: 1", "default: 2", "Count for 'x' does not exist", "t: 5ms 1", "t: 5ms", "Timer 't' does not exist"]],
  ["tables", `console.table([{ a: 1, b: "x" }, { a: 2 }]); return mock.logs[0][1].split("\\n");`, [
    "┌─────────┬───┬─────┐", "│ (index) │ a │ b   │", "├─────────┼───┼─────┤", "│ 0       │ 1 │ 'x' │", "│ 1       │ 2 │     │", "└─────────┴───┴─────┘",
  ]],
]);
