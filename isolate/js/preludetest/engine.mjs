// One fresh engine with the natives' stand-ins and the prelude in it, as the shim would have it.

import { readFileSync, readdirSync } from "node:fs";

const here = new URL("./", import.meta.url);
const preludeDir = new URL("../prelude/", here);

export const loaded = await import("quickjs-wasi").then((module) => ({
  ...module,
  wasm: new WebAssembly.Module(readFileSync(new URL(import.meta.resolve("quickjs-wasi/quickjs.wasm")))),
}), () => null);

export function preludeSource() {
  const files = readdirSync(preludeDir).filter((name) => name.endsWith(".js")).sort();
  const body = files.map((name) => readFileSync(new URL(name, preludeDir), "utf8")).join("\n");
  return `(function (sw) { "use strict";\n${body}\n})`;
}

const natives = readFileSync(new URL("natives.js", here), "utf8");
const prelude = preludeSource();

export async function newEngine({ bare = false } = {}) {
  const vm = await loaded.QuickJS.create({ wasm: loaded.wasm });
  run(vm, natives, "natives.js");
  if (!bare) run(vm, `${prelude}(sw)`, "prelude.js");
  return vm;
}

export function run(vm, source, name) {
  return vm.evalCode(source, name);
}

// tell runs a story: the body of an async function whose result comes back by way of JSON.
export async function tell(story) {
  const vm = await newEngine();
  run(vm, `globalThis.outcome = undefined; (async () => { ${story} })().then(
    (value) => { outcome = JSON.stringify({ value: value === undefined ? null : value }); },
    (error) => { outcome = JSON.stringify({ error: error + "\\n" + (error && error.stack) }); });`, "story.js");
  vm.executePendingJobs();
  const outcome = run(vm, "outcome", "outcome.js").toString();
  if (outcome === "undefined") throw new Error("the story never ended");
  const { value, error } = JSON.parse(outcome);
  if (error !== undefined) throw new Error(error);
  return value;
}
