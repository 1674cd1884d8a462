// node:module: require() of Node's own modules. A Worker's files are modules of its own kind.
import { requireNode } from "node-internal:runtime";
import { builtinModules, isBuiltin } from "../nodelib/names.mjs";
import { coded } from "../nodelib/errors.mjs";

export { builtinModules, isBuiltin };

export function createRequire() {
  return function require(name) {
    if (!isBuiltin(name)) throw coded(Error, "MODULE_NOT_FOUND", `Cannot find module '${name}'`);
    return requireNode(`node:${`${name}`.replace(/^node:/, "")}`);
  };
}

export default { builtinModules, createRequire, isBuiltin };
