// One fresh engine with the natives' stand-ins and the prelude in it, as the shim would have it.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const here = new URL("./", import.meta.url);
const preludeDir = new URL("../prelude/", here);

const loaded = await import("quickjs-wasi").then((module) => ({
  ...module,
  wasm: new WebAssembly.Module(readFileSync(new URL(import.meta.resolve("quickjs-wasi/quickjs.wasm")))),
}), () => null);

function preludeSource() {
  const files = readdirSync(preludeDir).filter((name) => name.endsWith(".js")).sort();
  const body = files.map((name) => readFileSync(new URL(name, preludeDir), "utf8")).join("\n");
  return `(function (sw) { "use strict";\n${body}\n})`;
}

const natives = readFileSync(new URL("natives.js", here), "utf8");
const prelude = preludeSource();

async function newEngine() {
  const vm = await loaded.QuickJS.create({ wasm: loaded.wasm });
  run(vm, natives, "natives.js");
  run(vm, `${prelude}(sw)`, "prelude.js");
  return vm;
}

function run(vm, source, name) {
  return vm.evalCode(source, name);
}

// stories makes one test of each line of a table: [name, story, what it returns].
export function stories(table) {
  const skip = loaded === null ? "the engine is not installed: run make engine" : false;
  for (const [name, story, expected] of table) {
    test(name, { skip }, async () => assert.deepEqual(await tell(story), expected));
  }
}

// tell runs a story: the body of an async function whose result comes back by way of JSON.
async function tell(story) {
  const vm = await newEngine();
  run(vm, `const then = Function.prototype.call.bind(Promise.prototype.then); // stories may patch it
    globalThis.outcome = undefined; then((async () => { ${story} })(),
    (value) => { outcome = JSON.stringify({ value: value === undefined ? null : value }); },
    (error) => { outcome = JSON.stringify({ error: error + "\\n" + (error && error.stack) }); });`, "story.js");
  vm.executePendingJobs();
  const outcome = run(vm, "outcome", "outcome.js").toString();
  if (outcome === "undefined") throw new Error("the story never ended");
  const { value, error } = JSON.parse(outcome);
  if (error !== undefined) throw new Error(error);
  return value;
}
