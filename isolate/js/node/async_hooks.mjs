// node:async_hooks. A frame is a Map of what each AsyncLocalStorage has: never changed, but taken
// over by another. The shim keeps the frame with promises, timers and microtasks.
import { frame, request, setFrame } from "node-internal:runtime";
import { invalidArgument, unsupported } from "../nodelib/errors.mjs";

function inFrame(other, fn, self, args) {
  const before = frame();
  setFrame(other);
  try {
    return Reflect.apply(fn, self, args);
  } finally {
    setFrame(before);
  }
}

function needFunction(fn) {
  if (typeof fn !== "function") throw invalidArgument("fn", "function", fn);
}

// Captured is a frame for later, in the same request.
class Captured {
  #frame = frame();
  #request = request();

  call(fn, self, args) {
    if (this.#request !== 0 && this.#request !== request()) {
      throw new Error("Cannot call this AsyncLocalStorage bound function outside of the request in which it was created.");
    }
    return inFrame(this.#frame, fn, self, args);
  }
}

export class AsyncLocalStorage {
  #fallback;
  #name;

  constructor({ defaultValue, name = "" } = {}) {
    this.#fallback = defaultValue;
    this.#name = name;
  }

  static bind(fn) {
    needFunction(fn);
    const captured = new Captured();
    return function (...args) { return captured.call(fn, this, args); };
  }

  static snapshot() {
    const captured = new Captured();
    return (fn, ...args) => captured.call(fn, undefined, args);
  }

  get name() { return this.#name; }

  getStore() {
    const current = frame();
    return current?.has(this) ? current.get(this) : this.#fallback;
  }

  run(store, fn, ...args) {
    return inFrame(new Map(frame()).set(this, store), fn, undefined, args);
  }

  exit(fn, ...args) { return this.run(undefined, fn, ...args); }
  enterWith() { throw unsupported("asyncLocalStorage.enterWith()"); }
  disable() { throw unsupported("asyncLocalStorage.disable()"); }
}

export class AsyncResource {
  #frame = frame();

  constructor(type) {
    if (typeof type !== "string") throw invalidArgument("type", "string", type);
  }

  static bind(fn, type, self) {
    return new AsyncResource(type ?? (fn.name || "bound-anonymous-fn")).bind(fn, self);
  }

  runInAsyncScope(fn, self, ...args) { return inFrame(this.#frame, fn, self, args); }

  bind(fn, self) {
    needFunction(fn);
    const resource = this;
    return function (...args) { return resource.runInAsyncScope(fn, self === undefined ? this : self, ...args); };
  }

  asyncId() { return 0; }
  triggerAsyncId() { return 0; }
  emitDestroy() { return this; }
}

const hook = { enable() { return hook; }, disable() { return hook; } };
export const createHook = () => hook; // there are no resources to be told of
export const executionAsyncId = () => 0, triggerAsyncId = () => 0, executionAsyncResource = () => ({});
export const asyncWrapProviders = {};
export default {
  AsyncLocalStorage, AsyncResource, createHook, executionAsyncId, triggerAsyncId, executionAsyncResource, asyncWrapProviders,
};
