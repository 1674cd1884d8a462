// Links engine/engine.wasm from the npm package's QuickJS and our shim:
//
//   quickjs.wasm ── its imports renamed to the shim, room in its table ──┐
//                                                                        ├─ wasm-merge ─ trim ─► engine.wasm
//   shim.wasm ──── its imports renamed to the engine, one shared stack ──┘
//
// What is left imports switchyard.host and nothing else, and exports memory and sw_op.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildIntl } from "./intlbuild.mjs";
import { buildIntlModule, buildNode } from "./nodebuild.mjs";
import { Module } from "./wasmfile.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const ENGINE_SHA256 = "d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9";
const ENGINE_TABLE = 532; // --table-base in shim/build.sh
const FORMAT = "$25", FIND_LINE = "$299"; // vsnprintf and find_line_num, by their indices
const ERROR_FUNCTIONS = ["$23", "$943"]; // JS_MakeError, and what reports a regular expression's error
const FEATURES = ["--enable-bulk-memory", "--enable-sign-ext", "--enable-mutable-globals", "--enable-nontrapping-float-to-int", "--enable-multivalue", "--enable-reference-types"];

const engine = new Module(withWords(readEngine()));
const shim = new Module(readFileSync(join(here, "shim/shim.wasm")));
joinImports(engine, shim);
const merged = new Module(merge(engine.bytes(), shim.bytes()));
merged.keepExports(["memory", "sw_op"]);
const out = trim(merged.bytes());
check(new Module(out));
mkdirSync(join(here, "engine"), { recursive: true });
writeFileSync(join(here, "engine/engine.wasm"), out);
console.log(`engine/engine.wasm: ${out.length} bytes, sha256 ${createHash("sha256").update(out).digest("hex")}`);
await buildNode(here);
buildIntl(here);
await buildIntlModule(here);

function readEngine() {
  const bytes = readFileSync(join(here, "node_modules/quickjs-wasi/quickjs.wasm"));
  const sum = createHash("sha256").update(bytes).digest("hex");
  if (sum !== ENGINE_SHA256) {
    // The table size, the unused low end of the stack and the C ABI belong to exactly this binary.
    throw new Error(`quickjs.wasm has sha256 ${sum}, not ${ENGINE_SHA256}: run npm ci, or port the shim`);
  }
  return bytes;
}

// withWords has the engine's errors worded by the shim (shim/words.c): what calls vsnprintf for an
// error's message calls error_format. find_line_num, which has no name in the binary, is exported.
function withWords(bytes) {
  const out = withFiles({ "qjs.wasm": bytes }, (dir) => tool("wasm-opt", dir, "qjs.wasm", "-S", "--quiet", "-o", "out.wasm", ...FEATURES));
  const functions = out.toString().split(/^(?= \(func \$\d+ )/m);
  for (const name of ERROR_FUNCTIONS) {
    const at = functions.findIndex((text) => text.startsWith(` (func ${name} `));
    functions[at] = replaced(functions[at], `(call ${FORMAT}\n`, "(call $error_format\n");
  }
  functions[0] = replaced(functions[0], "\n (import ", `\n (import "env" "error_format" (func $error_format (param i32 i32 i32 i32) (result i32)))\n (import `);
  functions[0] = replaced(functions[0], "\n (export ", `\n (export "find_line_num" (func ${FIND_LINE}))\n (export `);
  return withFiles({ "qjs.wat": functions.join("") }, (dir) => tool("wasm-as", dir, "qjs.wat", "-o", "out.wasm", ...FEATURES));
}

function replaced(text, what, by) {
  if (!text.includes(what)) throw new Error(`no ${JSON.stringify(what)} in quickjs.wasm`);
  return text.replace(what, () => by);
}

// joinImports makes each module name the other in its imports. Two shadow stacks in one memory
// would need two limits, so the shim's own stack pointer becomes an import of the engine's.
function joinImports(engine, shim) {
  shim.importGlobal("qjs", "__stack_pointer");
  shim.renameImports((module, name) => (module === "env" ? "qjs" : module));
  engine.renameImports(() => "shim");
  engine.setTableMinimum(ENGINE_TABLE, shim.importedTableMinimum());
}

function merge(engineBytes, shimBytes) {
  return withFiles({ "qjs.wasm": engineBytes, "shim.wasm": shimBytes }, (dir) => {
    tool("wasm-merge", dir, "qjs.wasm", "qjs", "shim.wasm", "shim", "-o", "out.wasm", ...FEATURES);
  });
}

function trim(bytes) {
  return withFiles({ "in.wasm": bytes }, (dir) => {
    tool("wasm-opt", dir, "in.wasm", "--remove-unused-module-elements", "--strip-debug", "--strip-producers",
      "--strip-target-features", "-o", "out.wasm", ...FEATURES);
  });
}

function check(module) {
  const imports = module.imports().map(({ module, name }) => `${module}.${name}`);
  if (imports.join() !== "switchyard.host") throw new Error(`unexpected imports: ${imports.join(", ")}`);
}

function withFiles(files, run) {
  const dir = mkdtempSync(join(tmpdir(), "engine-"));
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(dir, name), bytes);
    run(dir);
    return readFileSync(join(dir, "out.wasm"));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function tool(name, dir, ...args) {
  execFileSync(join(here, "node_modules/binaryen/bin", name), args, { cwd: dir, stdio: ["ignore", "inherit", "inherit"] });
}
