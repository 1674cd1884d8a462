// pipeTo: reads as long as the destination wants more, and carries closing and errors across.

function pipeOptions(options) {
  const { preventAbort, preventCancel, preventClose, signal } = dictionary(options, "options");
  const wanted = { preventAbort: Boolean(preventAbort), preventCancel: Boolean(preventCancel), preventClose: Boolean(preventClose), signal };
  if (signal !== undefined && !isAbortSignal(signal)) throw new TypeError("signal is not an AbortSignal");
  return wanted;
}

function pipe(source, destination, options) {
  if (source.locked) return rejected(new TypeError("pipeTo: the stream is locked"));
  if (destination.locked) return rejected(new TypeError("pipeTo: the destination is locked"));
  return new Pipe(source, destination, options).run();
}

class Pipe {
  constructor(source, destination, options) {
    this.source = source;
    this.destination = destination;
    this.options = options;
    this.reader = new Reader(source);
    this.writer = new Writer(destination);
    source.disturbed = true;
    this.done = withResolvers();
    this.stopping = false;
    this.lastWrite = RESOLVED;
    this.abort = undefined;
  }

  run() {
    const { signal } = this.options;
    if (signal !== undefined) {
      this.abort = () => this.onAbort(signal.reason);
      if (signal.aborted) {
        this.abort();
        return this.done.promise;
      }
      onAbort(signal, this.abort);
    }
    this.watch();
    this.step();
    return this.done.promise;
  }

  // watch looks at the four ways to end, in the standard's order of precedence.
  watch() {
    const { source, destination, reader, writer } = this;
    this.onceErrored(source, reader.closed.promise, (error) => this.sourceFailed(error));
    this.onceErrored(destination, writer.closed.promise, (error) => this.destinationFailed(error));
    if (source.state === "closed") this.sourceClosed();
    else upon(reader.closed.promise, () => this.sourceClosed(), noop);
    if (destination.closing || destination.state === "closed") this.destinationClosed();
  }

  onceErrored(stream, closed, action) {
    if (stream.state === "errored") action(stream.error);
    else upon(closed, noop, action);
  }

  sourceFailed(error) {
    if (this.options.preventAbort) this.stop(undefined, { error });
    else this.stop(() => this.destination.abort(error), { error });
  }

  destinationFailed(error) {
    if (this.options.preventCancel) this.stop(undefined, { error });
    else this.stop(() => this.source.cancel(error), { error });
  }

  sourceClosed() {
    if (this.options.preventClose) this.stop();
    else this.stop(() => this.writer.closeUnlessDone());
  }

  destinationClosed() {
    const error = new TypeError("The destination stream closed before all the data could be piped to it");
    this.destinationFailed(error);
  }

  onAbort(reason) {
    const { preventAbort, preventCancel } = this.options;
    const { source, destination } = this;
    this.stop(() => {
      const actions = [];
      if (!preventAbort) actions.push(destination.state === "writable" ? destination.abort(reason) : newResolved());
      if (!preventCancel) actions.push(source.state === "readable" ? source.cancel(reason) : newResolved());
      return allOf(actions);
    }, { error: reason });
  }

  step() {
    if (this.stopping) return;
    upon(this.writer.ready.promise, () => this.readOne(), noop);
  }

  readOne() {
    if (this.stopping) return;
    this.reader.read({
      chunk: (chunk) => {
        this.lastWrite = handled(then(RESOLVED, () => this.pass(chunk)));
      },
      close: noop,
      error: noop,
    });
  }

  // pass is not called by the read itself: enqueue() must not run the sink's write().
  pass(chunk) {
    const written = this.writer.write(chunk);
    this.step();
    return written;
  }

  // stop ends the pipe once: after the writes under way, after `action`, with `failure` if there is one.
  stop(action, failure) {
    if (this.stopping) return;
    this.stopping = true;
    const { destination } = this;
    if (destination.state === "writable" && !destination.closing) this.writesDone(() => this.act(action, failure));
    else this.act(action, failure);
  }

  // writesDone waits for the last write, again if there came another one meanwhile.
  writesDone(go) {
    const { lastWrite } = this;
    const again = () => (lastWrite === this.lastWrite ? go() : this.writesDone(go));
    upon(lastWrite, again, again);
  }

  act(action, failure) {
    if (action === undefined) {
      this.finish(failure);
      return;
    }
    upon(action(), () => this.finish(failure), (error) => this.finish({ error }));
  }

  finish(failure) {
    this.writer.release();
    this.reader.release();
    if (this.abort !== undefined) offAbort(this.options.signal, this.abort);
    if (failure !== undefined) this.done.reject(failure.error);
    else this.done.resolve(undefined);
  }
}

// allOf waits for all and fails with the first failure.
function allOf(promises) {
  const { promise, resolve, reject } = withResolvers();
  let left = promises.length;
  if (left === 0) resolve(undefined);
  for (const each of promises) {
    upon(each, () => { if (--left === 0) resolve(undefined); }, reject);
  }
  return promise;
}
