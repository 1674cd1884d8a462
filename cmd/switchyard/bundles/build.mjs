// Bundles each workers/NAME.js to out/NAME.js as a Worker's author would: esbuild, the conditions of Workers.
import { readdirSync, rmSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname;

// A package's require("crypto") becomes an import of "node:crypto", as wrangler has it.
const requiredOfNode = {
  name: "required-of-node",
  setup(build) {
    build.onResolve({ filter: /^[a-z_/]+$/ }, ({ path, kind }) => (kind === "require-call" && builtinModules.includes(path) ? { path, namespace: "of-node" } : undefined));
    build.onLoad({ filter: /./, namespace: "of-node" }, ({ path }) => ({ contents: `import m from "node:${path}"; module.exports = m;`, loader: "js" }));
  },
};

rmSync(join(here, "out"), { recursive: true, force: true });
await build({
  entryPoints: readdirSync(join(here, "workers")).map((name) => join(here, "workers", name)),
  outdir: join(here, "out"),
  bundle: true,
  format: "esm",
  target: "es2022",
  conditions: ["workerd", "worker", "browser"],
  mainFields: ["browser", "module", "main"],
  external: ["node:*", "cloudflare:*", "./gone.js"],
  plugins: [requiredOfNode],
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
});
