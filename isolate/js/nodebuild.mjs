// Makes engine/node/NAME.js of each node/NAME.mjs: a module of Node's, with what it takes from
// npm packages bundled in. Modules of Node's stay imports of one another, so that each is loaded
// once and there is one Buffer, one EventEmitter.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const SUFFIX = ".mjs";

export async function buildNode(here) {
  const from = join(here, "node"), to = join(here, "engine/node");
  const names = readdirSync(from, { recursive: true }).map(String).filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
  rmSync(to, { recursive: true, force: true });
  const result = await build({
    entryPoints: names.map((name) => ({ in: join(from, name + SUFFIX), out: name })),
    outdir: to,
    bundle: true,
    format: "esm",
    minifyWhitespace: true, // names stay: classes and stacks are seen
    minifySyntax: true,
    target: "es2023",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["node-internal:*"],
    plugins: [nodeNames(new Set(names))],
    define: { NODE_MODULES: JSON.stringify(names.sort().join()), "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
    metafile: true,
  });
  const size = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  console.log(`engine/node: ${names.length} modules, ${size} bytes`);
}

// buildIntlModule makes engine/intl/intl.js of intl/.
export async function buildIntlModule(here) {
  await build({
    entryPoints: [join(here, "intl/intl.mjs")], outfile: join(here, "engine/intl/intl.js"), bundle: true, format: "esm",
    minifyWhitespace: true, minifySyntax: true, target: "es2023", platform: "neutral", external: ["node-internal:*"], logLevel: "warning",
  });
}

// nodeNames leaves "node:x" alone, and makes it of the bare "x" that packages ask for. What a
// package requires is the module's namespace.
function nodeNames(names) {
  return {
    name: "node",
    setup(build) {
      build.onResolve({ filter: /^(node:)?[a-z_]+(\/[a-z]+)?\/?$/ }, ({ path, kind, importer }) => {
        const name = path.replace(/^node:/, "").replace(/\/$/, "");
        const ours = !path.startsWith("node:") && !importer.includes("node_modules");
        if (ours || !names.has(name)) return undefined;
        if (kind === "require-call") return { path: `node:${name}`, namespace: "required" };
        return { path: `node:${name}`, external: true };
      });
      build.onLoad({ filter: /^/, namespace: "required" }, ({ path }) => ({ contents: `export * from "${path}"; export { default } from "${path}";` }));
    },
  };
}
