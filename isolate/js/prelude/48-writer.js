// Writer and Sink: the two ends of a WritableStream.

// Deferred is a promise that tenants can see, and that may have to fail after it was fulfilled.
class Deferred {
  constructor() {
    const { promise, resolve, reject } = withResolvers();
    this.promise = promise;
    this.settle = resolve;
    this.reject = reject;
    this.pending = true;
  }

  resolve() {
    this.pending = false;
    this.settle(undefined);
  }

  // failed rejects the promise, or makes one that is rejected when it is settled already. Nobody
  // has to handle it.
  failed(error) {
    const deferred = this.pending ? this : new Deferred();
    deferred.pending = false;
    deferred.reject(error);
    handled(deferred.promise);
    return deferred;
  }
}

class Writer {
  constructor(stream) {
    if (stream.locked) throw new TypeError("The stream is locked to a writer already");
    this.stream = stream;
    stream.writer = this;
    this.ready = new Deferred();
    this.closed = new Deferred();
    const erring = stream.state === "erroring" || stream.state === "errored";
    if (erring) this.failReady(stream.error);
    else if (stream.state === "closed" || stream.closing || !stream.backpressure) this.ready.resolve();
    if (stream.state === "closed") this.closed.resolve();
    if (stream.state === "errored") this.failClosed(stream.error);
  }

  get desiredSize() {
    const { stream } = this;
    if (stream.state === "errored" || stream.state === "erroring") return null;
    return stream.state === "closed" ? 0 : stream.controller.desiredSize;
  }

  failReady(error) { this.ready = this.ready.failed(error); }
  failClosed(error) { this.closed = this.closed.failed(error); }

  write(chunk) {
    const { stream } = this;
    const size = stream.controller.chunkSize(chunk);
    if (stream !== this.stream) return rejected(noWriter());
    if (stream.state === "errored") return rejected(stream.error);
    if (stream.closing || stream.state === "closed") return rejected(new TypeError("Cannot write to a stream that is closing or closed"));
    if (stream.state === "erroring") return rejected(stream.error);
    const promise = stream.addWrite();
    stream.controller.write(chunk, size);
    return promise;
  }

  close() {
    if (this.stream.closing) return rejected(new TypeError("Cannot close a stream that is closing already"));
    return this.stream.close();
  }

  // closeUnlessDone is "close with error propagation".
  closeUnlessDone() {
    const { stream } = this;
    if (stream.closing || stream.state === "closed") return newResolved();
    return stream.state === "errored" ? rejected(stream.error) : this.close();
  }

  release() {
    const { stream } = this;
    if (stream === undefined) return;
    const error = new TypeError("The writer was released");
    this.failReady(error);
    this.failClosed(error);
    stream.writer = this.stream = undefined;
  }
}

const noWriter = () => new TypeError("The writer was released from its stream");

class WritableStreamDefaultWriter {
  #writer;

  constructor(stream) {
    need(arguments.length, 1, "WritableStreamDefaultWriter");
    if (!isWritableStream(stream)) throw new TypeError("not a WritableStream");
    this.#writer = new Writer(writableOf(stream));
  }

  get closed() {
    return promised(() => this.#writer.closed.promise);
  }

  get ready() {
    return promised(() => this.#writer.ready.promise);
  }

  get desiredSize() {
    if (this.#writer.stream === undefined) throw noWriter();
    return this.#writer.desiredSize;
  }

  write(chunk = undefined) {
    return promised(() => {
      if (this.#writer.stream === undefined) throw noWriter();
      return this.#writer.write(chunk);
    });
  }

  close() {
    return promised(() => {
      if (this.#writer.stream === undefined) throw noWriter();
      return this.#writer.close();
    });
  }

  abort(reason = undefined) {
    return promised(() => {
      if (this.#writer.stream === undefined) throw noWriter();
      return this.#writer.stream.abort(reason);
    });
  }

  releaseLock() { this.#writer.release(); }
}

const CLOSE = Symbol("close");

// Sink is WritableStreamDefaultController: it hands chunks to the underlying sink one at a time.
class Sink {
  constructor(stream, { start, write, close, abort }, mark, size) {
    stream.controller = this;
    this.stream = stream;
    this.queue = new SizedQueue();
    this.mark = mark;
    this.sizeFn = size;
    this.startFn = start;
    this.writeFn = write;
    this.closeFn = close;
    this.abortFn = abort;
    this.started = false;
    this.aborter = undefined; // AbortController, once its signal was asked for
    this.abortReason = undefined; // {reason} when aborted before that
    this.wrapper = undefined;
    stream.setBackpressure(this.backpressure);
  }

  get public() { return this.wrapper ??= new WritableStreamDefaultController(SECRET, this); }
  get desiredSize() { return this.mark - this.queue.total; }
  get backpressure() { return this.desiredSize <= 0; }

  get signal() {
    if (this.aborter === undefined) {
      this.aborter = new AbortSignal(SECRET);
      if (this.abortReason !== undefined) abortSignal(this.aborter, this.abortReason.reason);
    }
    return this.aborter;
  }

  abortSignal(reason) {
    this.abortReason ??= { reason };
    if (this.aborter !== undefined) abortSignal(this.aborter, reason);
  }

  start() {
    const result = this.startFn === undefined ? undefined : this.startFn(this.public);
    upon(resolvedWith(result), () => {
      this.started = true;
      this.advance();
    }, (error) => {
      this.started = true;
      this.stream.dealWithRejection(error);
    });
  }

  chunkSize(chunk) {
    if (this.sizeFn === undefined) return 1; // closed or errored: nobody will look at it
    try {
      return this.sizeFn(chunk);
    } catch (error) {
      this.failIfNeeded(error);
      return 1;
    }
  }

  write(chunk, size) {
    try {
      this.queue.push(chunk, size);
    } catch (error) {
      this.failIfNeeded(error);
      return;
    }
    if (!this.stream.closing && this.stream.state === "writable") this.stream.setBackpressure(this.backpressure);
    this.advance();
  }

  close() {
    this.queue.push(CLOSE, 0);
    this.advance();
  }

  advance() {
    const { stream } = this;
    if (!this.started || stream.inFlightWrite !== undefined) return;
    if (stream.state === "erroring") {
      stream.finishErroring();
      return;
    }
    if (this.queue.length === 0 || stream.state === "closed" || stream.state === "errored") return;
    const chunk = this.queue.peek();
    if (chunk === CLOSE) this.processClose();
    else this.processWrite(chunk);
  }

  processClose() {
    const { stream } = this;
    stream.inFlightClose = stream.closeRequest;
    stream.closeRequest = undefined;
    this.queue.shift();
    const closing = this.closeFn === undefined ? RESOLVED : this.closeFn();
    this.clear();
    upon(closing, () => stream.finishClose(), (error) => stream.finishCloseWithError(error));
  }

  processWrite(chunk) {
    const { stream } = this;
    stream.inFlightWrite = stream.writes.shift();
    upon(this.writeFn === undefined ? RESOLVED : this.writeFn(chunk, this.public), () => {
      stream.finishWrite();
      this.queue.shift();
      if (!stream.closing && stream.state === "writable") stream.setBackpressure(this.backpressure);
      this.advance();
    }, (error) => {
      if (stream.state === "writable") this.clear();
      stream.finishWriteWithError(error);
    });
  }

  abort(reason) {
    const result = this.abortFn === undefined ? RESOLVED : this.abortFn(reason);
    this.clear();
    return result;
  }

  failIfNeeded(error) {
    if (this.stream.state === "writable") this.fail(error);
  }

  fail(error) {
    this.clear();
    this.stream.startErroring(error);
  }

  clear() {
    this.writeFn = this.closeFn = this.abortFn = this.sizeFn = undefined;
  }
}

class WritableStreamDefaultController {
  #sink;

  constructor(secret, sink) {
    if (secret !== SECRET) throw illegal();
    this.#sink = sink;
  }

  get signal() { return this.#sink.signal; }
  error(reason = undefined) { this.#sink.failIfNeeded(reason); }
}

publish(WritableStreamDefaultWriter, WritableStreamDefaultController);
