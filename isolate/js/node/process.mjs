// node:process: what a Worker has of one.
import { EventEmitter } from "node:events";
import { inNextJob, requireNode, workersEnv } from "node-internal:runtime";
import { isBuiltin } from "../nodelib/names.mjs";
import { coded, unsupported } from "../nodelib/errors.mjs";

const VERSION = "v22.19.0"; // whose interfaces these are

class Process extends EventEmitter {
  title = "workerd";
  platform = "linux";
  arch = "x64";
  version = VERSION;
  versions = { node: VERSION.slice(1) };
  release = { name: "node" };
  argv = ["workerd"];
  argv0 = "workerd";
  execArgv = [];
  execPath = "";
  pid = 1;
  ppid = 0;
  exitCode = undefined;
  features = {};
  config = { target_defaults: {}, variables: {} };
  #env;

  // Text bindings are the environment, as from nodejs_compat_populate_process_env.
  get env() { return (this.#env ??= environment()); }
  set env(value) { this.#env = value; }

  cwd() { return "/"; }
  chdir() { throw unsupported("process.chdir"); }
  umask() { return 0o22; }
  uptime() { return performance.now() / 1000; }
  nextTick(callback, ...args) { inNextJob(() => callback(...args)); }

  emitWarning(warning, typeOrOptions = {}) {
    const type = typeof typeOrOptions === "string" ? typeOrOptions : typeOrOptions.type ?? "Warning";
    console.warn(warning instanceof Error ? `${warning.name}: ${warning.message}` : `${type}: ${warning}`);
  }

  getBuiltinModule(name) { return isBuiltin(name) ? requireNode(`node:${name.replace(/^node:/, "")}`) : undefined; }
  exit(code) { throw coded(Error, "ERR_WORKER_UNSUPPORTED_OPERATION", `process.exit(${code ?? ""}) is not possible in a Worker`); }
  abort() { this.exit(1); }
  memoryUsage() { return { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }; }
  cpuUsage() { return { user: 0, system: 0 }; }
}

function environment() {
  const text = Object.entries(workersEnv).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(text);
}

const nanoseconds = () => BigInt(Math.round(performance.now() * 1e6));

function hrtime(since = [0, 0]) {
  const now = nanoseconds() - BigInt(since[0]) * 1_000_000_000n - BigInt(since[1]);
  return [Number(now / 1_000_000_000n), Number(now % 1_000_000_000n)];
}
hrtime.bigint = nanoseconds;

const process = new Process();
process.hrtime = hrtime;
Object.defineProperty(process, Symbol.toStringTag, { value: "process" });

const bound = (name) => process[name].bind(process);
export const nextTick = bound("nextTick"), cwd = bound("cwd"), emitWarning = bound("emitWarning"), getBuiltinModule = bound("getBuiltinModule");
export const exit = bound("exit"), abort = bound("abort"), chdir = bound("chdir"), uptime = bound("uptime"), umask = bound("umask");
export const memoryUsage = bound("memoryUsage"), cpuUsage = bound("cpuUsage");
export const { env, platform, arch, version, versions, argv, argv0, execArgv, execPath, pid, ppid, title, release, features, config } = process;
export { hrtime };
export default process;
