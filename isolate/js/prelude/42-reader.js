// Readers. A read that has to wait is a request: an object with chunk(value), close(value) and
// error(reason), of which exactly one is called, once.

class Reader {
  constructor(stream) {
    const error = foreign(stream.request);
    if (error !== undefined) throw error;
    if (stream.locked) throw new TypeError("The stream is locked to a reader already");
    this.requests = [];
    this.attach(stream);
  }

  attach(stream) {
    this.stream = stream;
    stream.reader = this;
    this.closed = withResolvers();
    if (stream.state === "closed") this.closed.resolve(undefined);
    if (stream.state === "errored") this.failClosed(stream.error);
  }

  get isBYOB() { return false; }

  failClosed(error) {
    this.closed.reject(error);
    handled(this.closed.promise);
  }

  onClose() {
    this.closed.resolve(undefined);
    for (const request of this.take()) request.close();
  }

  onError(error) {
    this.failClosed(error);
    this.failRequests(error);
  }

  closeInto() {}

  take() {
    const requests = this.requests;
    this.requests = [];
    return requests;
  }

  failRequests(error) {
    for (const request of this.take()) request.error(error);
  }

  read(request) {
    const { stream } = this, error = foreign(stream.request);
    if (error !== undefined) {
      request.error(error);
      return;
    }
    stream.disturbed = true;
    if (stream.state === "closed") request.close();
    else if (stream.state === "errored") request.error(stream.error);
    else stream.controller.pullSteps(request);
  }

  cancel(reason) { return this.stream.cancel(reason); }

  release() {
    const { stream } = this;
    if (stream === undefined) return;
    const error = new TypeError("The reader was released");
    if (stream.state !== "readable") this.closed = withResolvers();
    this.failClosed(error);
    stream.controller.releaseSteps();
    stream.reader = this.stream = undefined;
    this.failRequests(error);
  }
}

// BYOBReader's waiting reads are the pull-into descriptors of its ByteSource.
class BYOBReader extends Reader {
  constructor(stream) {
    if (stream.locked) throw new TypeError("The stream is locked to a reader already");
    if (!stream.isByte) throw new TypeError("The stream is not a byte stream");
    super(stream);
  }

  get isBYOB() { return true; }

  // Closing alone does not end the reads: their buffers go back when the source has answered.
  onClose() { this.closed.resolve(undefined); }

  closeInto() {
    for (const request of this.take()) request.close(undefined);
  }

  read(view, min, request) {
    const { stream } = this, error = foreign(stream.request);
    if (error !== undefined) {
      request.error(error);
      return;
    }
    stream.disturbed = true;
    if (stream.state === "errored") request.error(stream.error);
    else stream.controller.pullInto(view, min, request);
  }
}

function readPromise(start) {
  const { promise, resolve, reject } = withResolvers();
  start({
    chunk: (value) => resolve({ value, done: false }),
    close: (value) => resolve({ value, done: true }),
    error: reject,
  });
  return promise;
}

const released = () => new TypeError("The reader was released from its stream");

class ReadableStreamDefaultReader {
  #reader;

  constructor(stream) {
    need(arguments.length, 1, "ReadableStreamDefaultReader");
    if (!isReadableStream(stream)) throw new TypeError("not a ReadableStream");
    this.#reader = new Reader(readableOf(stream));
  }

  get closed() {
    return promised(() => this.#reader.closed.promise);
  }

  read() {
    return promised(() => {
      if (this.#reader.stream === undefined) throw released();
      return readPromise((request) => this.#reader.read(request));
    });
  }

  cancel(reason = undefined) {
    return promised(() => {
      if (this.#reader.stream === undefined) throw released();
      return this.#reader.cancel(reason);
    });
  }

  releaseLock() { this.#reader.release(); }
}

class ReadableStreamBYOBReader {
  #reader;

  constructor(stream) {
    need(arguments.length, 1, "ReadableStreamBYOBReader");
    if (!isReadableStream(stream)) throw new TypeError("not a ReadableStream");
    this.#reader = new BYOBReader(readableOf(stream));
  }

  get closed() {
    return promised(() => this.#reader.closed.promise);
  }

  read(view, options = undefined) {
    return promised(() => {
      const reader = this.#reader;
      if (!isView(view)) throw new TypeError("read: the argument is not an ArrayBufferView");
      const { min } = dictionary(options, "options");
      const wanted = min === undefined ? 1 : enforceRange(min, "min");
      return readInto(reader, view, wanted);
    });
  }

  // readAtLeast is the older name of read(view, {min}), which Workers know.
  readAtLeast(minBytes, view) {
    return promised(() => {
      const reader = this.#reader;
      if (!isView(view)) throw new TypeError("readAtLeast: the argument is not an ArrayBufferView");
      const unit = view.BYTES_PER_ELEMENT ?? 1;
      return readInto(reader, view, Math.ceil(enforceRange(minBytes, "minBytes") / unit));
    });
  }

  cancel(reason = undefined) {
    return promised(() => {
      if (this.#reader.stream === undefined) throw released();
      return this.#reader.cancel(reason);
    });
  }

  releaseLock() { this.#reader.release(); }
}

// Checks are in the standard's order: its tests tell them apart.
function readInto(reader, view, min) {
  if (view.byteLength === 0) throw new TypeError("read: the view is empty");
  if (bufferLength(view.buffer) === 0) throw new TypeError("read: the view's buffer is empty");
  if (isDetached(view.buffer)) throw new TypeError("read: the view's buffer is detached");
  if (min === 0) throw new TypeError("read: min must not be 0");
  if (min > (view.length ?? view.byteLength)) throw new RangeError("read: min is larger than the view");
  if (reader.stream === undefined) throw released();
  return readPromise((request) => reader.read(view, min, request));
}

publish(ReadableStreamDefaultReader, ReadableStreamBYOBReader);
