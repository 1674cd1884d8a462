// ReadableStream. Readable is the stream itself; its controller holds the chunks and asks the source
// for more, its reader (if it is locked) holds the reads that wait.

class Readable {
  constructor() {
    this.state = "readable"; // or "closed", "errored"
    this.error = undefined;
    this.reader = undefined; // Reader, while locked
    this.controller = undefined; // DefaultSource | ByteSource
    this.disturbed = false;
    this.wrapper = undefined; // its public ReadableStream, once somebody wants it
    this.host = undefined; // HostBody when the bytes are the host's and nobody has read any
    this.request = 0; // that the host's bytes belong to
    this.expected = -1; // bytes it will give, where that is known
  }

  get locked() { return this.reader !== undefined; }
  get isByte() { return this.controller instanceof ByteSource; }
  get public() { return this.wrapper ??= new ReadableStream(SECRET, this); }

  cancel(reason) {
    const error = foreign(this.request);
    if (error !== undefined) return rejected(error);
    this.disturbed = true;
    if (this.state === "closed") return newResolved();
    if (this.state === "errored") return rejected(this.error);
    this.close();
    this.reader?.closeInto();
    return then(this.controller.cancelSteps(reason), noop);
  }

  close() {
    this.state = "closed";
    this.reader?.onClose();
  }

  fail(error) {
    this.state = "errored";
    this.error = error;
    this.reader?.onError(error);
  }

  static make(source, mark = 1, size = one) {
    const stream = new Readable();
    new DefaultSource(stream, ownMembers(source), mark, size).start();
    return stream;
  }

  static makeBytes(source, mark = 0) {
    const stream = new Readable();
    new ByteSource(stream, ownMembers(source), mark, undefined).start();
    return stream;
  }
}

const one = () => 1;
const newResolved = () => promiseResolve(undefined);

// sourceOf turns a tenant's underlying source into our algorithms, read in Web IDL's order.
function sourceOf(object) {
  const source = dictionary(object, "underlyingSource");
  const { autoAllocateChunkSize } = source;
  const chunkSize = autoAllocateChunkSize === undefined ? undefined : enforceRange(autoAllocateChunkSize, "autoAllocateChunkSize");
  const [cancel, pull, start] = [method(source, "cancel"), method(source, "pull"), method(source, "start")];
  const { type } = source;
  if (type !== undefined && `${type}` !== "bytes") throw new TypeError("underlyingSource.type is not 'bytes'");
  return {
    isByte: type !== undefined,
    chunkSize,
    start: start && ((controller) => apply(start, object, [controller])),
    pull: pull && ((controller) => promiseCall(pull, object, controller)),
    cancel: cancel && ((reason) => promiseCall(cancel, object, reason)),
  };
}

function setUpReadable(stream, object, strategy) {
  const source = sourceOf(object);
  if (!source.isByte) {
    const mark = checkedMark({ mark: strategy.mark ?? 1 });
    new DefaultSource(stream, source, mark, strategy.size).start();
    return;
  }
  if (strategy.given) throw new RangeError("a byte stream's strategy cannot have a size function");
  const mark = checkedMark({ mark: strategy.mark ?? 0 });
  if (source.chunkSize === 0) throw new TypeError("autoAllocateChunkSize must be greater than 0");
  new ByteSource(stream, source, mark, source.chunkSize).start();
}

class ReadableStream {
  #inner;

  constructor(underlyingSource = undefined, strategy = undefined) {
    if (underlyingSource === SECRET) {
      this.#inner = strategy;
      return;
    }
    if (underlyingSource !== undefined && (typeof underlyingSource !== "object" && typeof underlyingSource !== "function" || underlyingSource === null)) {
      throw new TypeError("underlyingSource is not an object");
    }
    const wanted = strategyOf(strategy, undefined);
    this.#inner = new Readable();
    this.#inner.wrapper = this;
    setUpReadable(this.#inner, underlyingSource, wanted);
  }

  get locked() { return this.#inner.locked; }

  cancel(reason = undefined) {
    return promised(() => {
      if (this.#inner.locked) throw new TypeError("Cannot cancel a stream that is locked to a reader");
      return this.#inner.cancel(reason);
    });
  }

  getReader(options = undefined) {
    const { mode } = dictionary(options, "options");
    if (mode === undefined) return new ReadableStreamDefaultReader(this);
    if (`${mode}` !== "byob") throw new TypeError("mode is not 'byob'");
    return new ReadableStreamBYOBReader(this);
  }

  tee() {
    return teeReadable(this.#inner).map((branch) => branch.public);
  }

  pipeTo(destination, options = undefined) {
    return promised(() => {
      need(arguments.length, 1, "pipeTo");
      const stream = this.#inner;
      if (!isWritableStream(destination)) throw new TypeError("pipeTo: the destination is not a WritableStream");
      const wanted = pipeOptions(options);
      return pipe(stream, writableOf(destination), wanted);
    });
  }

  pipeThrough(transform, options = undefined) {
    need(arguments.length, 1, "pipeThrough");
    const stream = this.#inner;
    const pair = dictionary(transform, "transform");
    const { readable } = pair;
    if (!isReadableStream(readable)) throw new TypeError("pipeThrough: readable is not a ReadableStream");
    const { writable } = pair;
    if (!isWritableStream(writable)) throw new TypeError("pipeThrough: writable is not a WritableStream");
    const wanted = pipeOptions(options);
    if (stream.locked) throw new TypeError("pipeThrough: the stream is locked");
    if (writableOf(writable).locked) throw new TypeError("pipeThrough: the writable is locked");
    handled(pipe(stream, writableOf(writable), wanted));
    return readable;
  }

  values(options = undefined) {
    const preventCancel = Boolean(dictionary(options, "options").preventCancel);
    return iterateReadable(this.#inner, preventCancel);
  }

  static from(iterable) {
    need(arguments.length, 1, "ReadableStream.from");
    return readableFrom(iterable).public;
  }

  static isReadableStream(value) { return typeof value === "object" && value !== null && #inner in value; }
  static readableOf(stream) { return stream.#inner; }
}

const { isReadableStream, readableOf } = ReadableStream;
for (const name of ["isReadableStream", "readableOf"]) delete ReadableStream[name];

publish(ReadableStream);
hidden(ReadableStream.prototype, Symbol.asyncIterator, ReadableStream.prototype.values);

// promised runs the steps of an operation that is declared to return a promise: it never throws.
function promised(steps) {
  try {
    return steps();
  } catch (error) {
    return rejected(error);
  }
}
