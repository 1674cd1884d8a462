// node:timers/promises.
import { coded } from "../../nodelib/errors.mjs";

const { setTimeout: start, clearTimeout: stop } = globalThis;
const abortError = (signal) => Object.assign(coded(Error, "ABORT_ERR", "The operation was aborted"), { name: "AbortError", cause: signal.reason });

export function setTimeout(delay, value, { signal } = {}) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError(signal));
    const timer = start(() => {
      signal?.removeEventListener("abort", abort);
      resolve(value);
    }, delay);
    const abort = () => {
      stop(timer);
      reject(abortError(signal));
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
}

export function setImmediate(value, options) { return setTimeout(0, value, options); }

export async function* setInterval(delay, value, options) {
  for (;;) yield await setTimeout(delay, value, options);
}

export const scheduler = { wait: (delay, options) => setTimeout(delay, undefined, options), yield: () => setImmediate() };
export default { setTimeout, setImmediate, setInterval, scheduler };
