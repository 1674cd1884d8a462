// node:timers. Timers are the Worker's own, ids and all.
import { coded } from "../nodelib/errors.mjs";
import promises from "node:timers/promises";

export const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
export { promises };

export class Immediate {
  constructor(callback, args) {
    this.id = setTimeout(() => callback(...args), 0);
  }

  ref() { return this; }
  unref() { return this; }
  hasRef() { return true; }
  [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() { clearTimeout(this.id); }
}

export function setImmediate(callback, ...args) {
  if (typeof callback !== "function") throw coded(TypeError, "ERR_INVALID_ARG_TYPE", 'The "callback" argument must be of type function.');
  return new Immediate(callback, args);
}

export function clearImmediate(immediate) {
  if (immediate instanceof Immediate) clearTimeout(immediate.id);
}

export default { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, promises };
