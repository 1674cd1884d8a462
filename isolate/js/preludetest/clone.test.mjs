import { stories } from "./engine.mjs";

const refused = (expression) => [`${expression} cannot be cloned`, `
  try { structuredClone(${expression}); return "cloned"; } catch (error) { return [error instanceof DOMException, error.name, error.code]; }
`, [true, "DataCloneError", 25]];

stories([
  ["primitives", `return [1, "s", null, true].map((v) => structuredClone(v)).concat(String(structuredClone(5n)), structuredClone(undefined) === undefined);`, [1, "s", null, true, "5", true]],
  ["plain objects and arrays", `
    const from = { a: [1, , 3], b: { c: new Date(5) } };
    const copy = structuredClone(from);
    return [JSON.stringify(copy), copy !== from, copy.b.c instanceof Date, 1 in copy.a, copy.a.length];
  `, [`{"a":[1,null,3],"b":{"c":"1970-01-01T00:00:00.005Z"}}`, true, true, false, 3]],
  ["cycles and shared references", `
    const shared = {}; const from = { shared, again: shared }; from.self = from;
    const copy = structuredClone(from);
    return [copy.self === copy, copy.shared === copy.again, copy.shared !== shared];
  `, [true, true, true]],
  ["Map, Set, RegExp, boxed", `
    const copy = structuredClone({ m: new Map([[{ k: 1 }, "v"]]), s: new Set([1]), r: /a/gi, n: new Number(3), o: Object("s") });
    return [[...copy.m][0][0].k, copy.s.has(1), String(copy.r), copy.r.lastIndex, typeof copy.n, copy.n + 1, copy.o + "!"];
  `, [1, true, "/a/gi", 0, "object", 4, "s!"]],
  ["views share the copy of their buffer", `
    const buffer = new ArrayBuffer(8); const from = { a: new Uint8Array(buffer, 2, 3), b: new DataView(buffer, 1) };
    from.a[0] = 7;
    const { a, b } = structuredClone(from);
    return [a.buffer === b.buffer, a.buffer !== buffer, a.byteOffset, a.length, b.getUint8(1), b.byteLength];
  `, [true, true, 2, 3, 7, 7]],
  ["errors keep name, message, cause and stack", `
    const from = new RangeError("r", { cause: { a: 1 } });
    const copy = structuredClone(from);
    class Odd extends Error { name = "Odd" }
    return [copy instanceof RangeError, copy.message, copy.cause.a, copy.stack === from.stack, structuredClone(new Odd("x")).name];
  `, [true, "r", 1, true, "Error"]],
  ["class instances become plain, getters are read", `
    const copy = structuredClone(new (class A { x = 1; #y = 2; get z() { return 3; } }));
    return [Object.getPrototypeOf(copy) === Object.prototype, copy, structuredClone({ get a() { return 4; } })];
  `, [true, { x: 1 }, { a: 4 }]],
  ["__proto__ is a key like any other", `
    const copy = structuredClone(JSON.parse('{"__proto__": {"polluted": 1}}'));
    return [Object.keys(copy), copy.polluted === undefined];
  `, [["__proto__"], true]],
  ["transfer", `
    const buffer = new ArrayBuffer(4); new Uint8Array(buffer)[0] = 9;
    const copy = structuredClone({ buffer }, { transfer: [buffer] });
    return [buffer.detached, new Uint8Array(copy.buffer)[0], copy.buffer.byteLength];
  `, [true, 9, 4]],
  ["a failed clone transfers nothing", `
    const buffer = new ArrayBuffer(4);
    try { structuredClone([buffer, () => {}], { transfer: [buffer] }); } catch { return buffer.detached; }
  `, false],
  refused("Symbol()"), refused("() => {}"), refused("{ a: { b() {} } }"), refused("new WeakMap()"), refused("Promise.resolve()"),
  refused("new Headers()"), refused("new ReadableStream()"), refused("1, { transfer: [{}] }"),
]);
