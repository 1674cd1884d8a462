// node:events: the npm package's EventEmitter, which can be inherited from in the old way, and
// what Node has added since. The module is the class, as in Node.
import { AsyncResource } from "node:async_hooks";
import EventEmitter from "events/events.js";
import { coded, invalidArgument } from "../nodelib/errors.mjs";

const { prototype } = EventEmitter;

export const errorMonitor = Symbol("events.errorMonitor");
export const captureRejectionSymbol = Symbol.for("nodejs.rejection");
export const captureRejections = false, usingDomains = false;
export const { defaultMaxListeners } = EventEmitter;

for (const name of ["on", "addListener", "once", "prependListener", "prependOnceListener", "off", "removeListener"]) {
  const method = prototype[name];
  prototype[name] = { [name](type, listener) {
    if (typeof listener !== "function") throw invalidArgument("listener", "function", listener);
    return method.call(this, type, listener);
  } }[name];
}

const plainEmit = prototype.emit;
prototype.emit = function emit(type, ...values) {
  if (type === "error" && this._events?.[errorMonitor]) plainEmit.call(this, errorMonitor, ...values);
  return plainEmit.call(this, type, ...values);
};

const abortError = (signal) => Object.assign(coded(Error, "ABORT_ERR", "The operation was aborted"), { name: "AbortError", cause: signal?.reason });
const isEmitter = (target) => typeof target?.on === "function";

function listen(target, type, listener) {
  if (isEmitter(target)) target.on(type, listener);
  else target.addEventListener(type, listener);
  return () => (isEmitter(target) ? target.removeListener(type, listener) : target.removeEventListener(type, listener));
}

// once gives the first event's values; an emitter's "error" rejects it.
export function once(target, type, { signal } = {}) {
  if (signal?.aborted) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const undo = [];
    const end = (act) => (...values) => {
      undo.forEach((stop) => stop());
      act(values);
    };
    undo.push(listen(target, type, end(resolve)));
    if (isEmitter(target) && type !== "error") undo.push(listen(target, "error", end(([error]) => reject(error))));
    if (signal) undo.push(listen(signal, "abort", end(() => reject(abortError(signal)))));
  });
}

// on iterates over the events from now on, what comes faster than it is read included.
export function on(target, type, { signal, close = [] } = {}) {
  if (signal?.aborted) throw abortError(signal);
  const events = new EventQueue();
  events.undo.push(listen(target, type, (...values) => events.push(values)));
  if (isEmitter(target) && type !== "error") events.undo.push(listen(target, "error", (error) => events.fail(error)));
  for (const name of close) events.undo.push(listen(target, name, () => events.finish()));
  if (signal) events.undo.push(listen(signal, "abort", () => events.fail(abortError(signal))));
  return events;
}

const AsyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype);

class EventQueue {
  undo = [];
  values = [];
  readers = [];
  error = undefined;
  ended = false;

  push(value) {
    const reader = this.readers.shift();
    if (reader) reader.resolve({ value, done: false });
    else this.values.push(value);
  }

  fail(error) {
    const reader = this.readers.shift();
    if (reader) reader.reject(error);
    else this.error = error;
    this.finish();
  }

  finish() {
    this.ended = true;
    this.undo.splice(0).forEach((stop) => stop());
    this.readers.splice(0).forEach((reader) => reader.resolve({ value: undefined, done: true }));
  }

  next() {
    if (this.values.length > 0) return Promise.resolve({ value: this.values.shift(), done: false });
    if (this.error !== undefined) {
      const { error } = this;
      this.error = undefined;
      return Promise.reject(error);
    }
    if (this.ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.readers.push({ resolve, reject }));
  }

  return() {
    this.finish();
    return Promise.resolve({ value: undefined, done: true });
  }

  throw(error) {
    this.fail(error);
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() { return this; }
}
Object.setPrototypeOf(EventQueue.prototype, AsyncIteratorPrototype);

export const listenerCount = (emitter, type) => emitter.listenerCount(type);
export const getEventListeners = (target, type) => (isEmitter(target) ? target.listeners(type) : []);
export const getMaxListeners = (target) => (isEmitter(target) ? target.getMaxListeners() : defaultMaxListeners);

export function setMaxListeners(n = defaultMaxListeners, ...targets) {
  if (targets.length === 0) EventEmitter.defaultMaxListeners = n;
  for (const target of targets) target.setMaxListeners?.(n);
}

export function addAbortListener(signal, listener) {
  if (signal.aborted) queueMicrotask(() => listener());
  const stop = listen(signal, "abort", listener);
  return { [Symbol.dispose ?? Symbol.for("Symbol.dispose")]: stop };
}

export class EventEmitterAsyncResource extends EventEmitter {
  #resource;

  constructor(options) {
    super(options);
    this.#resource = new AsyncResource(options?.name ?? new.target.name);
  }

  get asyncResource() { return this.#resource; }
  emit(...values) { return this.#resource.runInAsyncScope(super.emit, this, ...values); }
  emitDestroy() { return this; }
}

Object.assign(EventEmitter, {
  EventEmitter, EventEmitterAsyncResource, addAbortListener, captureRejectionSymbol, captureRejections, errorMonitor, getEventListeners,
  getMaxListeners, listenerCount, on, once, setMaxListeners, usingDomains,
});
export { EventEmitter };
export default EventEmitter;
