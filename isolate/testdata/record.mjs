// node record.mjs WORKERD STORIES: runs STORIES.js on workerd and writes what its stories answer to STORIES.json.
import { spawn } from "node:child_process";
import { mkdtempSync, copyFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [workerd, stories] = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), "workerd-"));
copyFileSync(`${stories}.js`, join(dir, "worker.js"));
writeFileSync(join(dir, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .main) ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "main") ]
);
const main :Workerd.Worker = ( modules = [ (name = "worker.js", esModule = embed "worker.js") ], compatibilityDate = "2025-06-01" );
`);
const server = spawn(workerd, ["serve", join(dir, "config.capnp"), "--control-fd=3"], { stdio: ["ignore", "inherit", "ignore", "pipe"] });
try {
  const said = await new Promise((resolve) => server.stdio[3].once("data", resolve));
  const ask = async (name) => (await fetch(`http://127.0.0.1:${JSON.parse(said).port}/${encodeURIComponent(name)}`)).text();
  const answers = {};
  for (const name of JSON.parse(await ask(""))) answers[name] = await ask(name);
  writeFileSync(`${stories}.json`, JSON.stringify(answers, null, 1) + "\n");
} finally {
  server.kill();
}
