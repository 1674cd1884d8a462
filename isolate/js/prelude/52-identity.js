// IdentityTransformStream and FixedLengthStream: Workers' own pipes for bytes. Nothing is buffered:
// a write is done when its bytes have been read.

class IdentityPipe {
  constructor(expected) {
    this.expected = expected; // bytes, −1 for any number
    this.passed = 0;
    this.drained = undefined;
    this.readable = Readable.makeBytes({ cancel: (reason) => this.cancelled(reason) });
    this.readable.expected = expected;
    this.readable.controller.onDrained = () => this.wake();
    this.writable = Writable.make({
      write: (chunk) => promised(() => this.write(chunk)),
      close: () => promised(() => this.close()),
      abort: (reason) => {
        this.readable.controller.fail(reason);
        return RESOLVED;
      },
    });
  }

  write(chunk) {
    const bytes = bytesOfChunk(chunk);
    if (bytes.byteLength === 0) return RESOLVED;
    this.passed += bytes.byteLength;
    if (this.expected >= 0 && this.passed > this.expected) this.broken("Attempt to write too many bytes through a FixedLengthStream.");
    const source = this.readable.controller;
    source.enqueue(sliceBytes(bytes));
    if (source.total === 0) return RESOLVED;
    this.drained = withResolvers();
    return this.drained.promise;
  }

  close() {
    if (this.passed < this.expected) this.broken("FixedLengthStream did not see all expected bytes before close().");
    this.readable.controller.end();
    return RESOLVED;
  }

  broken(message) {
    const error = new TypeError(message);
    this.readable.controller.fail(error);
    throw error;
  }

  wake() {
    this.drained?.resolve(undefined);
    this.drained = undefined;
  }

  cancelled(reason) {
    this.writable.controller.failIfNeeded(reason);
    this.wake();
    return RESOLVED;
  }
}

function bytesOfChunk(chunk) {
  if (typeof chunk === "string") return encodeText(chunk);
  if (isView(chunk) || isBuffer(chunk)) return bytesOf(chunk);
  throw new TypeError("This stream takes bytes: an ArrayBuffer, a view of one, or a string");
}

class IdentityTransformStream {
  #pipe;

  constructor(strategy = undefined) {
    this.#pipe = strategy === SECRET ? new IdentityPipe(arguments[1]) : new IdentityPipe(-1);
  }

  get readable() { return this.#pipe.readable.public; }
  get writable() { return this.#pipe.writable.public; }
}

class FixedLengthStream extends IdentityTransformStream {
  constructor(length) {
    need(arguments.length, 1, "FixedLengthStream");
    super(SECRET, enforceRange(length, "expected length"));
  }
}

// As on Workers they are TransformStreams, though made otherwise.
setPrototypeOf(IdentityTransformStream, TransformStream);
setPrototypeOf(IdentityTransformStream.prototype, TransformStream.prototype);

publish(IdentityTransformStream, FixedLengthStream);
