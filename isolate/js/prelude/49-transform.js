// TransformStream: a writable whose sink feeds a readable. Back-pressure of the readable holds
// the writable's next write until somebody pulls.

class Transform {
  constructor(transformer, writable, readable) {
    this.backpressure = undefined;
    this.change = undefined; // resolvers of the next change of backpressure
    this.finishing = undefined; // promise of the one end: close, cancel or abort
    const { transform, flush, cancel } = ownMembers(transformer);
    this.transformFn = transform;
    this.flushFn = flush;
    this.cancelFn = cancel;
    this.wrapper = undefined;
    const started = withResolvers();
    this.writable = Writable.make({
      start: () => started.promise,
      write: (chunk) => this.sinkWrite(chunk),
      close: () => this.sinkClose(),
      abort: (reason) => this.sinkAbort(reason),
    }, writable.mark, writable.size);
    this.readable = Readable.make({
      start: () => started.promise,
      pull: () => this.sourcePull(),
      cancel: (reason) => this.sourceCancel(reason),
    }, readable.mark, readable.size);
    this.setBackpressure(true);
    this.started = started;
  }

  get public() { return this.wrapper ??= new TransformStreamDefaultController(SECRET, this); }

  start(startFn) {
    this.started.resolve(startFn === undefined ? undefined : startFn(this.public));
  }

  setBackpressure(backpressure) {
    this.change?.resolve(undefined);
    this.change = withResolvers();
    this.backpressure = backpressure;
  }

  sinkWrite(chunk) {
    if (!this.backpressure) return this.perform(chunk);
    return then(this.change.promise, () => {
      if (this.writable.state === "erroring") throw this.writable.error;
      return this.perform(chunk);
    });
  }

  perform(chunk) {
    const result = this.transformFn === undefined ? this.pass(chunk) : this.transformFn(chunk, this.public);
    return then(result, undefined, (error) => {
      this.fail(error);
      throw error;
    });
  }

  pass(chunk) {
    return promised(() => {
      this.enqueue(chunk);
      return RESOLVED;
    });
  }

  sinkClose() {
    return this.finish(() => (this.flushFn === undefined ? RESOLVED : this.flushFn(this.public)), () => {
      if (this.readable.state === "errored") throw this.readable.error;
      this.readable.controller.close();
    }, (error) => this.readable.controller.fail(error));
  }

  sinkAbort(reason) {
    return this.finish(() => this.cancelled(reason), () => {
      if (this.readable.state === "errored") throw this.readable.error;
      this.readable.controller.fail(reason);
    }, (error) => this.readable.controller.fail(error));
  }

  sourceCancel(reason) {
    return this.finish(() => this.cancelled(reason), () => {
      if (this.writable.state === "errored") throw this.writable.error;
      this.writable.controller.failIfNeeded(reason);
      this.unblock();
    }, (error) => {
      this.writable.controller.failIfNeeded(error);
      this.unblock();
    });
  }

  cancelled(reason) {
    return this.cancelFn === undefined ? RESOLVED : this.cancelFn(reason);
  }

  // finish runs the one ending of the stream: later ends share its outcome.
  finish(begin, ok, failed) {
    if (this.finishing !== undefined) return this.finishing;
    const { promise, resolve, reject } = withResolvers();
    this.finishing = promise;
    const ending = begin();
    this.clear();
    upon(ending, () => {
      try {
        resolve(ok());
      } catch (error) {
        reject(error);
      }
    }, (error) => {
      failed(error);
      reject(error);
    });
    return promise;
  }

  sourcePull() {
    this.setBackpressure(false);
    return this.change.promise;
  }

  enqueue(chunk) {
    const source = this.readable.controller;
    if (!source.open) throw new TypeError("Cannot enqueue into a stream that is closed or errored");
    try {
      source.enqueue(chunk);
    } catch (error) {
      this.failWritable(error);
      throw this.readable.error;
    }
    const backpressure = !source.wantsMore;
    if (backpressure !== this.backpressure) this.setBackpressure(true);
  }

  fail(error) {
    this.readable.controller.fail(error);
    this.failWritable(error);
  }

  failWritable(error) {
    this.clear();
    this.writable.controller.failIfNeeded(error);
    this.unblock();
  }

  unblock() {
    if (this.backpressure) this.setBackpressure(false);
  }

  terminate() {
    this.readable.controller.close();
    this.failWritable(new TypeError("The stream was terminated"));
  }

  clear() {
    this.transformFn = this.flushFn = this.cancelFn = undefined;
  }
}

// transformerOf turns a tenant's transformer into our algorithms, read in Web IDL's order.
function transformerOf(object) {
  const transformer = dictionary(object, "transformer");
  const [cancel, flush] = [method(transformer, "cancel"), method(transformer, "flush")];
  const { readableType } = transformer;
  const [start, transform] = [method(transformer, "start"), method(transformer, "transform")];
  const { writableType } = transformer;
  if (readableType !== undefined) throw new RangeError("transformer.readableType is not supported");
  if (writableType !== undefined) throw new RangeError("transformer.writableType is not supported");
  return {
    start: start && ((controller) => apply(start, object, [controller])),
    transform: transform && ((chunk, controller) => promiseCall(transform, object, chunk, controller)),
    flush: flush && ((controller) => promiseCall(flush, object, controller)),
    cancel: cancel && ((reason) => promiseCall(cancel, object, reason)),
  };
}

class TransformStream {
  #inner;

  constructor(transformer = undefined, writableStrategy = undefined, readableStrategy = undefined) {
    if (transformer !== undefined) needObject(transformer, "transformer");
    const [writable, readable] = [strategyOf(writableStrategy, 1), strategyOf(readableStrategy, 0)];
    const algorithms = transformerOf(transformer);
    checkedMark(readable);
    checkedMark(writable);
    this.#inner = new Transform(algorithms, writable, readable);
    this.#inner.start(algorithms.start);
  }

  get readable() { return this.#inner.readable.public; }
  get writable() { return this.#inner.writable.public; }
}

class TransformStreamDefaultController {
  #transform;

  constructor(secret, transform) {
    if (secret !== SECRET) throw illegal();
    this.#transform = transform;
  }

  get desiredSize() { return this.#transform.readable.controller.desiredSize; }
  enqueue(chunk = undefined) { this.#transform.enqueue(chunk); }
  error(reason = undefined) { this.#transform.fail(reason); }
  terminate() { this.#transform.terminate(); }
}

publish(TransformStream, TransformStreamDefaultController);
