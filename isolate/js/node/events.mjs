// node:events. The module is the class, as in Node.
import * as events from "unenv/node/events";
import { invalidArgument } from "../nodelib/errors.mjs";

const { EventEmitter } = events;

for (const name of ["on", "addListener", "once", "prependListener", "prependOnceListener", "off", "removeListener"]) {
  const method = EventEmitter.prototype[name];
  EventEmitter.prototype[name] = { [name](type, listener) {
    if (typeof listener !== "function") throw invalidArgument("listener", "function", listener);
    return method.call(this, type, listener);
  } }[name];
}
export { EventEmitter };
export {
  EventEmitterAsyncResource, addAbortListener, captureRejectionSymbol, captureRejections, defaultMaxListeners, errorMonitor,
  getEventListeners, getMaxListeners, on, once, setMaxListeners, usingDomains,
} from "unenv/node/events";

const { default: _, ...members } = events;
for (const [name, value] of Object.entries(members)) {
  if (!Object.hasOwn(EventEmitter, name)) Object.defineProperty(EventEmitter, name, { value, writable: true, enumerable: true, configurable: true });
}

export function listenerCount(emitter, type) {
  return emitter.listenerCount(type);
}
export default EventEmitter;
