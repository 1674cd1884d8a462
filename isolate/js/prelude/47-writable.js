// WritableStream. Its states, and what moves it:
//
//   writable ──close()──► (closing) ──► closed
//      │ error, abort()
//      ▼
//   erroring ──writes in flight are done──► errored

class Writable {
  constructor() {
    this.state = "writable";
    this.error = undefined;
    this.writer = undefined; // Writer, while locked
    this.controller = undefined; // Sink
    this.writes = []; // resolvers of writes that wait
    this.inFlightWrite = undefined;
    this.closeRequest = undefined;
    this.inFlightClose = undefined;
    this.aborting = undefined; // {resolvers, reason, wasErroring}
    this.backpressure = false;
    this.wrapper = undefined;
  }

  get locked() { return this.writer !== undefined; }
  get public() { return this.wrapper ??= new WritableStream(SECRET, this); }
  get closing() { return this.closeRequest !== undefined || this.inFlightClose !== undefined; }
  get inFlight() { return this.inFlightWrite !== undefined || this.inFlightClose !== undefined; }

  static make(sink, mark = 1, size = one) {
    const stream = new Writable();
    new Sink(stream, ownMembers(sink), mark, size).start();
    return stream;
  }

  abort(reason) {
    if (this.state === "closed" || this.state === "errored") return newResolved();
    this.controller.abortSignal(reason);
    if (this.state === "closed" || this.state === "errored") return newResolved();
    if (this.aborting !== undefined) return this.aborting.resolvers.promise;
    const wasErroring = this.state === "erroring";
    const resolvers = withResolvers();
    this.aborting = { resolvers, reason: wasErroring ? undefined : reason, wasErroring };
    if (!wasErroring) this.startErroring(reason);
    return resolvers.promise;
  }

  close() {
    if (this.state === "closed" || this.state === "errored") return rejected(new TypeError(`Cannot close a stream that is ${this.state}`));
    const { promise } = this.closeRequest = withResolvers();
    if (this.writer !== undefined && this.backpressure && this.state === "writable") this.writer.ready.resolve();
    this.controller.close();
    return promise;
  }

  addWrite() {
    const resolvers = withResolvers();
    this.writes.push(resolvers);
    return resolvers.promise;
  }

  dealWithRejection(error) {
    if (this.state === "writable") this.startErroring(error);
    else this.finishErroring();
  }

  startErroring(reason) {
    this.state = "erroring";
    this.error = reason;
    this.writer?.failReady(reason);
    if (!this.inFlight && this.controller.started) this.finishErroring();
  }

  finishErroring() {
    this.state = "errored";
    this.controller.queue.reset();
    const { error, writes } = this;
    this.writes = [];
    for (const write of writes) write.reject(error);
    const { aborting } = this;
    if (aborting === undefined) {
      this.rejectCloseAndClosed();
      return;
    }
    this.aborting = undefined;
    if (aborting.wasErroring) {
      aborting.resolvers.reject(error);
      this.rejectCloseAndClosed();
      return;
    }
    upon(this.controller.abort(aborting.reason), () => {
      aborting.resolvers.resolve(undefined);
      this.rejectCloseAndClosed();
    }, (reason) => {
      aborting.resolvers.reject(reason);
      this.rejectCloseAndClosed();
    });
  }

  rejectCloseAndClosed() {
    this.closeRequest?.reject(this.error);
    this.closeRequest = undefined;
    this.writer?.failClosed(this.error);
  }

  finishWrite() {
    this.inFlightWrite.resolve(undefined);
    this.inFlightWrite = undefined;
  }

  finishWriteWithError(error) {
    this.inFlightWrite.reject(error);
    this.inFlightWrite = undefined;
    this.dealWithRejection(error);
  }

  finishClose() {
    this.inFlightClose.resolve(undefined);
    this.inFlightClose = undefined;
    if (this.state === "erroring") {
      this.error = undefined;
      this.aborting?.resolvers.resolve(undefined);
      this.aborting = undefined;
    }
    this.state = "closed";
    this.writer?.closed.resolve();
  }

  finishCloseWithError(error) {
    this.inFlightClose.reject(error);
    this.inFlightClose = undefined;
    this.aborting?.resolvers.reject(error);
    this.aborting = undefined;
    this.dealWithRejection(error);
  }

  setBackpressure(backpressure) {
    if (this.writer !== undefined && backpressure !== this.backpressure) {
      if (backpressure) this.writer.ready = new Deferred();
      else this.writer.ready.resolve();
    }
    this.backpressure = backpressure;
  }
}

// sinkOf turns a tenant's underlying sink into our algorithms, read in Web IDL's order.
function sinkOf(object) {
  const sink = dictionary(object, "underlyingSink");
  const [abort, close, start] = [method(sink, "abort"), method(sink, "close"), method(sink, "start")];
  const { type } = sink;
  const write = method(sink, "write");
  if (type !== undefined) throw new RangeError("underlyingSink.type is not supported");
  return {
    start: start && ((controller) => apply(start, object, [controller])),
    write: write && ((chunk, controller) => promiseCall(write, object, chunk, controller)),
    close: close && (() => promiseCall(close, object)),
    abort: abort && ((reason) => promiseCall(abort, object, reason)),
  };
}

class WritableStream {
  #inner;

  constructor(underlyingSink = undefined, strategy = undefined) {
    if (underlyingSink === SECRET) {
      this.#inner = strategy;
      return;
    }
    if (underlyingSink !== undefined) needObject(underlyingSink, "underlyingSink");
    const wanted = strategyOf(strategy, 1);
    const sink = sinkOf(underlyingSink);
    const mark = checkedMark(wanted);
    this.#inner = new Writable();
    this.#inner.wrapper = this;
    new Sink(this.#inner, sink, mark, wanted.size).start();
  }

  get locked() { return this.#inner.locked; }

  abort(reason = undefined) {
    return promised(() => {
      if (this.#inner.locked) throw new TypeError("Cannot abort a stream that is locked to a writer");
      return this.#inner.abort(reason);
    });
  }

  close() {
    return promised(() => {
      if (this.#inner.locked) throw new TypeError("Cannot close a stream that is locked to a writer");
      if (this.#inner.closing) throw new TypeError("Cannot close a stream that is closing already");
      return this.#inner.close();
    });
  }

  getWriter() { return new WritableStreamDefaultWriter(this); }

  static isWritableStream(value) { return typeof value === "object" && value !== null && #inner in value; }
  static writableOf(stream) { return stream.#inner; }
}

const { isWritableStream, writableOf } = WritableStream;
for (const name of ["isWritableStream", "writableOf"]) delete WritableStream[name];

publish(WritableStream);
