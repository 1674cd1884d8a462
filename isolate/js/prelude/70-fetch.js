// What AbortSignal does to a fetch. All else of fetch() is the shim's.

hooks.scopeError = () => new Error(GLOBAL_SCOPE);

// fetchAbortable fetches a request that has a signal.
hooks.fetchAbortable = (signal, binding, request, name, options) => {
  signal.throwIfAborted();
  return abortable(signal, () => sw.fetch(binding, request, name, options));
};

// abortable fails the operation that start() begins when signal aborts first, and stops it.
function abortable(signal, start) {
  const { promise, resolve, reject } = withResolvers();
  const request = sw.request();
  const running = start();
  const op = sw.lastOp();
  const stop = (reason) => {
    requestBound(request, () => sw.stop(op));
    reject(reason);
  };
  onAbort(signal, stop);
  upon(running, (response) => {
    offAbort(signal, stop);
    abortBody(signal, response);
    resolve(response);
  }, (error) => {
    offAbort(signal, stop);
    reject(error);
  });
  return promise;
}

const responseBody = getterOf(Response.prototype, "body");

// abortBody lets the signal end a response that is still coming in, until it has been read or
// passed on.
function abortBody(signal, response) {
  const body = signal.aborted ? null : responseBody(response);
  if (body === null) return;
  const { host, controller } = readableOf(body);
  if (host === undefined) return;
  const stop = (reason) => {
    host.cancel();
    controller.fail(reason);
  };
  onAbort(signal, stop);
  controller.onEnd = () => offAbort(signal, stop);
}
