// fetch, through a binding or on its own, and what AbortSignal does to it.

const RequestCtor = Request;
const GLOBAL_FETCH = -1; // the binding index of a plain fetch()

// startFetch gives the shim the very Request when nothing was changed in it: an untouched one is
// passed on by handle.
function startFetch(binding, input, init, name, options) {
  if (sw.moduleScope()) return rejected(new Error(GLOBAL_SCOPE));
  try {
    const same = init === undefined && input instanceof RequestCtor;
    const request = same ? input : new RequestCtor(input, init);
    const signal = signalOf(request);
    if (signal === undefined) return sw.fetch(binding, request, name, options);
    signal.throwIfAborted();
    return abortable(signal, () => sw.fetch(binding, request, name, options));
  } catch (error) {
    return rejected(error);
  }
}

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

expose("fetch", function fetch(input, init = undefined) {
  if (arguments.length === 0) return rejected(new TypeError("fetch: 1 argument required, but only 0 present"));
  return startFetch(GLOBAL_FETCH, input, init);
});
