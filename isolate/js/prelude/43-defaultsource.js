// DefaultSource is ReadableStreamDefaultController: a queue of any values, filled by start() and pull().

class DefaultSource {
  constructor(stream, { start, pull, cancel }, mark, size) {
    stream.controller = this;
    this.stream = stream;
    this.queue = new SizedQueue();
    this.mark = mark;
    this.sizeFn = size;
    this.startFn = start;
    this.pullFn = pull;
    this.cancelFn = cancel;
    this.started = this.closing = this.pulling = this.pullAgain = false;
    this.wrapper = undefined;
  }

  get public() { return this.wrapper ??= new ReadableStreamDefaultController(SECRET, this); }

  start() {
    const result = this.startFn === undefined ? undefined : this.startFn(this.public);
    upon(resolvedWith(result), () => {
      this.started = true;
      this.pullIfNeeded();
    }, (error) => this.fail(error));
  }

  get desiredSize() {
    if (this.stream.state === "errored") return null;
    return this.stream.state === "closed" ? 0 : this.mark - this.queue.total;
  }

  get open() { return !this.closing && this.stream.state === "readable"; }

  get wantsMore() {
    if (!this.open || !this.started) return false;
    return this.stream.reader?.requests.length > 0 || this.desiredSize > 0;
  }

  pullIfNeeded() {
    if (!this.wantsMore) return;
    if (this.pulling) {
      this.pullAgain = true;
      return;
    }
    this.pulling = true;
    upon(this.pullFn === undefined ? RESOLVED : this.pullFn(this.public), () => this.pulled(), (error) => this.fail(error));
  }

  pulled() {
    this.pulling = false;
    if (!this.pullAgain) return;
    this.pullAgain = false;
    this.pullIfNeeded();
  }

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
