// DefaultSource is ReadableStreamDefaultController: a queue of any values, filled by start() and pull().

class DefaultSource extends Source {
  constructor(stream, methods, mark, size) {
    super(stream, methods, mark);
    this.queue = new SizedQueue();
    this.sizeFn = size;
  }

  get public() { return this.wrapper ??= new ReadableStreamDefaultController(SECRET, this); }
  get queued() { return this.queue.total; }

  enqueue(chunk) {
    if (!this.open) return;
    const { requests } = this.stream.reader ?? {};
    if (requests?.length > 0) requests.shift().chunk(chunk);
    else this.keep(chunk);
    this.pullIfNeeded();
  }

  keep(chunk) {
    try {
      this.queue.push(chunk, this.sizeFn(chunk));
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  close() {
    if (!this.open) return;
    this.closing = true;
    if (this.queue.length === 0) this.finish();
  }

  finish() {
    this.clear();
    this.stream.close();
  }

  fail(error) {
    if (this.stream.state !== "readable") return;
    this.queue.reset();
    this.clear();
    this.stream.fail(error);
  }

  clear() {
    this.pullFn = this.cancelFn = this.sizeFn = undefined;
  }

  cancelSteps(reason) {
    this.queue.reset();
    const result = this.cancelFn === undefined ? RESOLVED : this.cancelFn(reason);
    this.clear();
    return result;
  }

  pullSteps(request) {
    if (this.queue.length === 0) {
      this.stream.reader.requests.push(request);
      this.pullIfNeeded();
      return;
    }
    const chunk = this.queue.shift();
    if (this.closing && this.queue.length === 0) this.finish();
    else this.pullIfNeeded();
    request.chunk(chunk);
  }

  releaseSteps() {}
}

class ReadableStreamDefaultController {
  #source;

  constructor(secret, source) {
    if (secret !== SECRET) throw illegal();
    this.#source = source;
  }

  get desiredSize() { return this.#source.desiredSize; }

  enqueue(chunk = undefined) {
    if (!this.#source.open) throw new TypeError("Cannot enqueue into a stream that is closed or errored");
    this.#source.enqueue(chunk);
  }

  close() {
    if (!this.#source.open) throw new TypeError("Cannot close a stream that is closed or errored");
    this.#source.close();
  }

  error(reason = undefined) { this.#source.fail(reason); }
}

publish(ReadableStreamDefaultController);
