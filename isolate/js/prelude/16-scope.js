// The global scope as an event target, and the fetch event of service-worker syntax.

for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) {
  const method = EventTarget.prototype[name];
  expose(name, { [name](...args) { return apply(method, scope, args); } }[name]);
}

// The global object's classes. Programs ask for their names to find out where they run.
class WorkerGlobalScope extends EventTarget {
  constructor() { throw illegal(); }
}

class ServiceWorkerGlobalScope extends WorkerGlobalScope {}

publish(WorkerGlobalScope, ServiceWorkerGlobalScope);
setPrototypeOf(globalThis, ServiceWorkerGlobalScope.prototype);
delete globalThis[Symbol.toStringTag]; // the engine's own hides the class's
expose("origin", "null");
defineProperty(globalThis, "self", { value: globalThis, writable: true, enumerable: true, configurable: true });

// reportException is the end of an error that nobody can catch: listeners of "error" see it, and
// unless one of them says preventDefault(), the log does.
function reportException(error) {
  if (listens(scope, "error") && !reporting) {
    reporting = true;
    const message = isError(error) ? `Uncaught ${describeError(error)}` : `Uncaught ${inspect(error)}`;
    const event = trusted(new ErrorEvent("error", { message, error, cancelable: true }));
    const shown = fire(scope, event);
    reporting = false;
    if (!shown) return;
  }
  sw.log(LOG_ERROR, capped(`Uncaught ${inspect(error)}`));
}

// What was told of as unhandled. A promise that gets a handler after that is told of again.
const toldOf = new WeakSet();
const addWeak = uncurry(WeakSet.prototype.add);
const deleteWeak = uncurry(WeakSet.prototype.delete);

hooks.unhandledRejection = (promise, reason) => {
  if (!listens(scope, "unhandledrejection")) return true;
  addWeak(toldOf, promise);
  return fire(scope, trusted(new PromiseRejectionEvent("unhandledrejection", { promise, reason, cancelable: true })));
};

hooks.handledLater = (promise) => {
  if (!deleteWeak(toldOf, promise)) return;
  inNextJob(() => fire(scope, trusted(new PromiseRejectionEvent("rejectionhandled", { promise }))));
};

let reporting = false; // an error listener that throws must not report for ever

expose("reportError", function reportError(error) {
  need(arguments.length, 1, "reportError");
  reportException(error);
});

const notFunction = (name) =>
  new TypeError(`Failed to execute '${name}' on 'ServiceWorkerGlobalScope': parameter 1 is not of type 'function'.`);

const microtask = queueMicrotask;

// inNextJob queues a microtask that runs in the asynchronous context of who queues it.
function inNextJob(run) {
  const frame = sw.frame();
  microtask(frame === undefined ? run : () => {
    sw.setFrame(frame);
    run();
  });
}

expose("queueMicrotask", function queueMicrotask(callback) {
  if (typeof callback !== "function") throw notFunction("queueMicrotask");
  inNextJob(() => {
    try {
      apply(callback, undefined, []);
    } catch (error) {
      reportException(error);
    }
  });
});

class ExtendableEvent extends Event {
  waitUntil(promise) {
    need(arguments.length, 1, "waitUntil");
    sw.hold(promiseResolve(promise));
  }
}

class FetchEvent extends ExtendableEvent {
  #request;
  #response;
  #open = true; // respondWith is allowed while the event is being dispatched only

  constructor(type, init) {
    need(arguments.length, 2, "FetchEvent constructor");
    super(type, init);
    this.#request = init.request;
  }

  get request() { return this.#request; }

  respondWith(response) {
    need(arguments.length, 1, "respondWith");
    if (this.#response) throw new DOMException("FetchEvent.respondWith() has already been called.", "InvalidStateError");
    if (!this.#open) throw new DOMException("Too late to call FetchEvent.respondWith().", "InvalidStateError");
    this.#response = promiseResolve(response);
    this.stopImmediatePropagation();
  }

  passThroughOnException() {}

  static answerOf(event) {
    event.#open = false;
    return event.#response;
  }
}

const { answerOf } = FetchEvent;
delete FetchEvent.answerOf;

publish(ExtendableEvent, FetchEvent);

const UNANSWERED = "The Worker's fetch listeners did not call event.respondWith().";

// dispatchFetch runs the fetch listeners. The first error of a listener fails the request unless
// another listener answered it.
hooks.dispatchFetch = (request) => {
  if (!listens(scope, "fetch")) return undefined;
  const failures = [];
  const event = trusted(new FetchEvent("fetch", { request, cancelable: true }));
  fire(scope, event, (error) => failures.push(error));
  const answer = answerOf(event);
  if (answer) return answer;
  return rejected(failures.length > 0 ? failures[0] : new TypeError(UNANSWERED));
};

// hasListener tells which events of service-worker syntax the Worker handles.
hooks.hasListener = (type) => listens(scope, type);
