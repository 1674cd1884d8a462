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
import { buildNode } from "./nodebuild.mjs";
import { Module } from "./wasmfile.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const ENGINE_SHA256 = "d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9";
const ENGINE_TABLE = 532; // --table-base in shim/build.sh
const FEATURES = ["--enable-bulk-memory", "--enable-sign-ext", "--enable-mutable-globals", "--enable-nontrapping-float-to-int", "--enable-multivalue", "--enable-reference-types"];

const engine = new Module(readEngine());
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

function readEngine() {
  const bytes = readFileSync(join(here, "node_modules/quickjs-wasi/quickjs.wasm"));
  const sum = createHash("sha256").update(bytes).digest("hex");
  if (sum !== ENGINE_SHA256) {
    // The table size, the unused low end of the stack and the C ABI belong to exactly this binary.
    throw new Error(`quickjs.wasm has sha256 ${sum}, not ${ENGINE_SHA256}: run npm ci, or port the shim`);
  }
  return bytes;
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
