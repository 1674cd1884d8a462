// Bodies as streams. A host body is read lazily, one sw.read at a time, as part of the request it
// belongs to. As long as nobody has touched it, it can be passed on by handle instead of by bytes.

class HostBody {
  constructor(handle) {
    this.handle = handle;
    this.request = sw.request();
  }

  read() { return requestBound(this.request, () => sw.read(this.handle)); }
  cancel() { requestBound(this.request, () => sw.cancel(this.handle)); }
}

function hostStream(handle) {
  const body = new HostBody(handle);
  const stream = Readable.makeBytes({
    pull: () => then(body.read(), (bytes) => give(stream.controller, bytes)),
    cancel: () => {
      body.cancel();
      return RESOLVED;
    },
  });
  stream.host = body;
  stream.request = body.request;
  return stream;
}

function give(controller, bytes) {
  if (bytes === null || bytes === undefined || bytes.byteLength === 0) controller.end();
  else controller.enqueue(bytes);
}

// bytesStream gives bytes of ours as one chunk. They must not be shared: streams transfer them.
function bytesStream(bytes) {
  const stream = Readable.makeBytes({
    pull: () => {
      if (bytes.byteLength > 0) stream.controller.enqueue(bytes);
      stream.controller.end();
      return RESOLVED;
    },
  });
  stream.expected = bytes.byteLength;
  stream.bytes = bytes;
  return stream;
}

hooks.bodyStream = (owner, body) => {
  if (typeof body === "number") return hostStream(body).public;
  return bytesStream(typeof body === "string" ? encodeText(body) : sliceBytes(body)).public;
};

const sliceBytes = (view) => concatBytes([bytesOf(view)], view.byteLength);

hooks.isDisturbed = (stream) => readableOf(stream).disturbed;
hooks.isLocked = (stream) => readableOf(stream).locked;

// handleOf is the host's handle of a stream that nobody has touched, else 0. A handle means
// something to its own request only.
hooks.handleOf = (stream) => {
  const { host, disturbed, locked } = readableOf(stream);
  return host === undefined || disturbed || locked || host.request !== sw.request() ? 0 : host.handle;
};

// sourceOf is all the bytes of a stream of ours that nobody has touched: they need no pump.
hooks.sourceOf = (stream) => {
  const { bytes, disturbed, locked } = readableOf(stream);
  return disturbed || locked ? undefined : bytes;
};

// lengthOf is how many bytes the stream will give, −1 where that is not known.
hooks.lengthOf = (stream) => readableOf(stream).expected;

// release marks a stream whose handle or bytes were passed on: it is locked for good.
hooks.release = (stream) => {
  const inner = readableOf(stream);
  if (inner.host !== undefined) inner.controller.clear();
  inner.host = undefined;
  inner.disturbed = true;
  new Reader(inner);
};

hooks.tee = (stream) => teeReadable(readableOf(stream)).map((branch) => branch.public);

const NOT_BYTES = "This ReadableStream did not return bytes.";

const isBytes = (chunk) => typedTag(chunk) === "Uint8Array";

hooks.consume = (stream) => promised(() => {
  const inner = readableOf(stream);
  if (inner.locked) throw new TypeError("The stream is locked to a reader");
  return readAll(new Reader(inner));
});

function readAll(reader) {
  const { promise, resolve, reject } = withResolvers();
  const chunks = [];
  let length = 0;
  const next = () => reader.read({
    chunk(chunk) {
      if (!isBytes(chunk)) {
        const error = new TypeError(NOT_BYTES);
        handled(reader.cancel(error));
        reject(error);
        return;
      }
      chunks.push(chunk);
      length += chunk.byteLength;
      microtask(next); // not a call: a full queue would nest as deep as it is long
    },
    close: () => resolve(chunks.length === 1 ? chunks[0] : concatBytes(chunks, length)),
    error: reject,
  });
  next();
  return promise;
}

// Pump sends a stream to the host, at the pace the host takes it: the promise that write() may give
// is awaited before the next read.
class Pump {
  constructor(stream, { write, end, failed }) {
    this.request = sw.request();
    this.write = write;
    this.end = end;
    this.failed = failed;
    this.reader = new Reader(stream);
  }

  run() {
    this.reader.read({
      chunk: (chunk) => microtask(() => this.send(chunk)),
      close: () => microtask(() => this.finish(undefined)),
      error: (error) => microtask(() => this.fail(error)),
    });
  }

  send(chunk) {
    if (!isBytes(chunk)) {
      this.stop(new TypeError(NOT_BYTES));
      return;
    }
    try {
      const waiting = chunk.byteLength > 0 ? requestBound(this.request, () => this.write(chunk)) : undefined;
      if (waiting === undefined) this.run();
      else upon(waiting, () => this.run(), (error) => this.cancel(error));
    } catch (error) {
      this.cancel(error);
    }
  }

  stop(error) {
    this.cancel(error);
    this.fail(error);
  }

  fail(error) {
    requestBound(this.request, () => this.failed?.(error));
    this.finish(isError(error) ? describeError(error) : inspect(error));
  }

  // cancel tells the source that the reader of what it makes has gone.
  cancel(error) { handled(this.reader.cancel(error)); }

  finish(message) { requestBound(this.request, () => this.end(message)); }
}

// sendStream sends a response's stream. Its head has left by the time the stream fails, so that no
// caller learns why: the log has to.
hooks.sendStream = (stream) => {
  new Pump(readableOf(stream), {
    write: (chunk) => sw.write(chunk), end: (message) => sw.end(message), failed: reportException,
  }).run();
};

hooks.sendRequestStream = (stream) => {
  const inner = readableOf(stream);
  if (inner.locked) throw new TypeError("The stream of the request's body is locked");
  const id = sw.newStream();
  new Pump(inner, { write: (chunk) => sw.write2(id, chunk), end: (message) => sw.end2(id, message) }).run();
  return id;
};
