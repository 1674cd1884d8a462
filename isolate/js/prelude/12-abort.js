// AbortSignal and AbortController. A signal made by AbortSignal.any() follows its sources: they
// abort it before any of them runs a listener, as the DOM standard orders it.

class AbortSignal extends EventTarget {
  #aborted = false;
  #reason;
  #steps = [];
  #dependents = [];
  #sources = null; // of a signal made by any(): the signals it follows

  constructor(secret) {
    if (secret !== SECRET) throw illegal();
    super();
  }

  get aborted() { return this.#aborted; }
  get reason() { return this.#reason; }

  throwIfAborted() {
    if (this.#aborted) throw this.#reason;
  }

  static abort(reason = undefined) {
    const signal = new AbortSignal(SECRET);
    signal.#set(reason);
    return signal;
  }

  static timeout(milliseconds) {
    need(arguments.length, 1, "AbortSignal.timeout");
    const delay = enforceRange(milliseconds, "milliseconds");
    insideHandler();
    const signal = new AbortSignal(SECRET);
    sw.timer(timerDelay(delay), () => {
      signal.#abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    });
    return signal;
  }

  static any(signals) {
    need(arguments.length, 1, "AbortSignal.any");
    const given = [...signals];
    for (const source of given) if (!isAbortSignal(source)) throw new TypeError("AbortSignal.any: not an AbortSignal");
    const signal = new AbortSignal(SECRET);
    const done = given.find((source) => source.#aborted);
    if (done) signal.#set(done.#reason);
    else signal.#follow(given);
    return signal;
  }

  #follow(given) {
    this.#sources = new Set();
    for (const source of given) for (const root of source.#sources ?? [source]) this.#sources.add(root);
    for (const root of this.#sources) root.#dependents.push(this);
  }

  #set(reason) {
    this.#aborted = true;
    this.#reason = reason === undefined ? new DOMException("The operation was aborted", "AbortError") : reason;
  }

  #abort(reason) {
    if (this.#aborted) return;
    this.#set(reason);
    const following = this.#dependents.filter((signal) => !signal.#aborted);
    this.#dependents = [];
    for (const signal of following) signal.#set(this.#reason);
    this.#run();
    for (const signal of following) signal.#run();
  }

  #run() {
    const steps = this.#steps;
    this.#steps = [];
    for (const step of steps) step(this.#reason);
    fire(this, trusted(new Event("abort")));
  }

  static isAbortSignal(value) { return typeof value === "object" && value !== null && #steps in value; }
  static abortSignal(signal, reason) { signal.#abort(reason); }
  static offAbort(signal, step) { signal.#steps = signal.#steps.filter((other) => other !== step); }
  static onAbort(signal, step) {
    if (!signal.#aborted) signal.#steps.push(step);
  }
}

// onAbort runs step(reason) when signal aborts later, before any listener; offAbort takes it back.
const { isAbortSignal, abortSignal, onAbort, offAbort } = AbortSignal;
for (const name of ["isAbortSignal", "abortSignal", "onAbort", "offAbort"]) delete AbortSignal[name];

handlerAttribute(AbortSignal.prototype, "abort");

class AbortController {
  #signal = new AbortSignal(SECRET);

  get signal() { return this.#signal; }
  abort(reason = undefined) { abortSignal(this.#signal, reason); }
}

publish(AbortSignal, AbortController);

// newSignal serves Request.signal where the request was made without one: most requests are never
// asked for theirs. That of the event's request, and of its copies, follows the client.
hooks.newSignal = (ofEvent) => {
  const signal = new AbortSignal(SECRET);
  if (ofEvent) upon(sw.gone(), () => abortSignal(signal, new DOMException("The client has disconnected", "AbortError")));
  return signal;
};
hooks.isSignal = isAbortSignal;
