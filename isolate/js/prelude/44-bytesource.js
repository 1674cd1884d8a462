// ByteSource is ReadableByteStreamController: a queue of byte ranges, and reads that bring their own
// buffer. Buffers are transferred at every hand-over, so that nobody can write where another reads.
//
//   queue:   {buffer, offset, length} …          bytes nobody has asked for yet
//   pending: {buffer, size, offset, length,      buffers that wait to be filled; `min` bytes end a wait
//             filled, min, unit, Ctor, kind}     kind: "byob" | "default" (auto-allocated) | "none" (released)

class ByteSource extends Source {
  constructor(stream, methods, mark, chunkSize) {
    super(stream, methods, mark);
    this.queue = [];
    this.total = 0;
    this.pending = [];
    this.chunkSize = chunkSize;
    this.request = null; // the public BYOBRequest of pending[0], once asked for
    this.onDrained = undefined; // called when the queue has become empty
    this.onEnd = undefined; // called once, when no more bytes will come or be asked for
  }

  get public() { return this.wrapper ??= new ReadableByteStreamController(SECRET, this); }
  get queued() { return this.total; }

  // Reads by a default reader.

  pullSteps(request) {
    const { requests } = this.stream.reader;
    if (this.total > 0) {
      this.answerFromQueue(request);
      return;
    }
    if (this.chunkSize !== undefined && !this.allocate(request)) return;
    requests.push(request);
    this.pullIfNeeded();
  }

  allocate(request) {
    try {
      const buffer = new ArrayBuffer(this.chunkSize);
      const length = this.chunkSize;
      this.pending.push({ buffer, size: length, offset: 0, length, filled: 0, min: 1, unit: 1, Ctor: Uint8Array, kind: "default" });
      return true;
    } catch (error) {
      request.error(error);
      return false;
    }
  }

  answerFromQueue(request) {
    const { buffer, offset, length } = this.queue.shift();
    this.total -= length;
    this.drained();
    request.chunk(new Uint8Array(buffer, offset, length));
  }

  // drained is the standard's "handle queue drain".
  drained() {
    if (this.total === 0) this.onDrained?.();
    if (this.total === 0 && this.closing) this.finish();
    else this.pullIfNeeded();
  }

  // Reads by a BYOB reader.

  pullInto(view, min, request) {
    const entry = this.descriptor(view, min, request);
    if (entry === undefined) return;
    const { requests } = this.stream.reader;
    if (this.pending.length > 0) {
      this.pending.push(entry);
      requests.push(request);
    } else if (this.stream.state === "closed") {
      request.close(new entry.Ctor(entry.buffer, entry.offset, 0));
    } else if (!this.fillAtOnce(entry, request)) {
      this.pending.push(entry);
      requests.push(request);
      this.pullIfNeeded();
    }
  }

  descriptor(view, min, request) {
    const Ctor = viewConstructors.get(typedTag(view)) ?? dataViewCtor;
    const unit = Ctor.BYTES_PER_ELEMENT ?? 1;
    const { byteOffset: offset, byteLength: length } = view;
    const size = bufferLength(view.buffer);
    try {
      return { buffer: transferBuffer(view.buffer), size, offset, length, filled: 0, min: min * unit, unit, Ctor, kind: "byob" };
    } catch (error) {
      request.error(error);
      return undefined;
    }
  }

  // fillAtOnce says that the request has been answered, one way or the other.
  fillAtOnce(entry, request) {
    if (this.total > 0) {
      if (this.fill(entry)) {
        const view = filledView(entry);
        this.drained();
        request.chunk(view);
        return true;
      }
      if (this.closing) {
        const error = new TypeError("Insufficient bytes to fill elements in the given buffer");
        this.fail(error);
        request.error(error);
        return true;
      }
    }
    return false;
  }

  // fill copies from the queue into entry; true when entry has enough to be given back. Only
  // whole elements are given: the rest goes back to the queue.
  fill(entry) {
    const most = Math.min(this.total, entry.length - entry.filled);
    const end = entry.filled + most;
    const whole = end - (end % entry.unit);
    const ready = whole >= entry.min;
    let left = ready ? whole - entry.filled : most;
    while (left > 0) left -= this.move(entry, left);
    return ready;
  }

  move(entry, most) {
    const head = this.queue[0];
    const n = Math.min(most, head.length);
    new Uint8Array(entry.buffer).set(new Uint8Array(head.buffer, head.offset, n), entry.offset + entry.filled);
    if (n === head.length) this.queue.shift();
    else this.queue[0] = { buffer: head.buffer, offset: head.offset + n, length: head.length - n };
    this.total -= n;
    entry.filled += n;
    return n;
  }

  // The source's side.

  enqueue(view) {
    if (!this.open) return;
    const { buffer, byteOffset: offset, byteLength: length } = view;
    if (isDetached(buffer)) throw new TypeError("enqueue: the chunk's buffer is detached");
    const moved = transferBuffer(buffer);
    this.secureFirst();
    const { reader } = this.stream;
    if (reader === undefined) this.keep(moved, offset, length);
    else if (reader.isBYOB) this.enqueueInto(moved, offset, length);
    else this.enqueueFor(reader, moved, offset, length);
    this.pullIfNeeded();
  }

  // secureFirst takes the first pending buffer away from whoever still holds its BYOB request.
  secureFirst() {
    const [first] = this.pending;
    if (first === undefined) return;
    if (isDetached(first.buffer)) throw new TypeError("enqueue: the BYOB request's buffer is detached");
    this.invalidate();
    first.buffer = transferBuffer(first.buffer);
    if (first.kind === "none") this.requeue(first);
  }

  enqueueFor(reader, buffer, offset, length) {
    while (reader.requests.length > 0 && this.total > 0) this.answerFromQueue(reader.requests.shift());
    if (reader.requests.length === 0) {
      this.keep(buffer, offset, length);
      return;
    }
    if (this.pending.length > 0) this.pending.shift();
    reader.requests.shift().chunk(new Uint8Array(buffer, offset, length));
  }

  enqueueInto(buffer, offset, length) {
    this.keep(buffer, offset, length);
    for (const entry of this.fillPending()) this.commit(entry);
  }

  fillPending() {
    const ready = [];
    while (this.pending.length > 0 && this.total > 0 && this.fill(this.pending[0])) ready.push(this.shiftPending());
    return ready;
  }

  keep(buffer, offset, length) {
    this.queue.push({ buffer, offset, length });
    this.total += length;
  }

  keepCopy(buffer, offset, length) {
    this.keep(copyOrFail(this, buffer, offset, length), 0, length);
  }

  // requeue gives the bytes of a released read back to the queue.
  requeue(entry) {
    if (entry.filled > 0) this.keepCopy(entry.buffer, entry.offset, entry.filled);
    this.shiftPending();
  }

  shiftPending() {
    this.invalidate();
    return this.pending.shift();
  }

  invalidate() {
    if (this.request === null) return;
    invalidateRequest(this.request);
    this.request = null;
  }

  // commit answers the oldest read with what entry holds.
  commit(entry) {
    const done = this.stream.state === "closed";
    const view = filledView(entry);
    const request = this.stream.reader.requests.shift();
    if (done) request.close(view);
    else request.chunk(view);
  }

  get byobRequest() {
    if (this.request === null && this.pending.length > 0) {
      const first = this.pending[0];
      const view = new Uint8Array(first.buffer, first.offset + first.filled, first.length - first.filled);
      this.request = new ReadableStreamBYOBRequest(SECRET, this, view);
    }
    return this.request;
  }

  respond(written) {
    const [first] = this.pending;
    if (this.stream.state === "closed") {
      if (written !== 0) throw new TypeError("respond: bytesWritten must be 0 once the stream is closed");
    } else {
      if (written === 0) throw new TypeError("respond: bytesWritten must be greater than 0");
      if (first.filled + written > first.length) throw new RangeError("respond: bytesWritten is larger than the view");
    }
    first.buffer = transferBuffer(first.buffer);
    this.respondWith(written);
  }

  respondNewView(view) {
    const [first] = this.pending;
    if (this.stream.state === "closed") {
      if (view.byteLength !== 0) throw new TypeError("respondWithNewView: the view must be empty once the stream is closed");
    } else if (view.byteLength === 0) throw new TypeError("respondWithNewView: the view is empty");
    if (first.offset + first.filled !== view.byteOffset) throw new RangeError("respondWithNewView: another offset");
    if (first.size !== bufferLength(view.buffer)) throw new RangeError("respondWithNewView: another buffer length");
    if (first.filled + view.byteLength > first.length) throw new RangeError("respondWithNewView: the view is too large");
    const written = view.byteLength;
    first.buffer = transferBuffer(view.buffer);
    this.respondWith(written);
  }

  respondWith(written) {
    this.invalidate();
    if (this.stream.state === "closed") this.respondClosed();
    else this.respondOpen(written);
    this.pullIfNeeded();
  }

  respondClosed() {
    if (this.pending[0].kind === "none") this.shiftPending();
    const { reader } = this.stream;
    if (!reader?.isBYOB) return;
    const entries = [];
    while (entries.length < reader.requests.length) entries.push(this.shiftPending());
    for (const entry of entries) this.commit(entry);
  }

  respondOpen(written) {
    const [first] = this.pending;
    first.filled += written;
    if (first.kind === "none") {
      this.requeue(first);
      for (const entry of this.fillPending()) this.commit(entry);
      return;
    }
    if (first.filled < first.min) return;
    this.shiftPending();
    const rest = first.filled % first.unit;
    if (rest > 0) {
      const end = first.offset + first.filled;
      this.keepCopy(first.buffer, end - rest, rest);
    }
    first.filled -= rest;
    const ready = this.fillPending();
    this.commit(first);
    for (const entry of ready) this.commit(entry);
  }

  close() {
    if (!this.open) return;
    if (this.total > 0) {
      this.closing = true;
      return;
    }
    const [first] = this.pending;
    if (first !== undefined && first.filled % first.unit !== 0) {
      const error = new TypeError("Insufficient bytes to fill elements in the given buffer");
      this.fail(error);
      throw error;
    }
    this.finish();
  }

  // end closes for a source of ours: reads that wait get their buffers back at once.
  end() {
    this.close();
    if (this.pending.length > 0 && this.stream.state === "closed") this.respond(0);
  }

  finish() {
    this.clear();
    this.stream.close();
  }

  fail(error) {
    if (this.stream.state !== "readable") return;
    this.forget();
    this.clear();
    this.stream.fail(error);
  }

  forget() {
    this.invalidate();
    this.pending = [];
    this.queue = [];
    this.total = 0;
  }

  clear() {
    const { onEnd } = this;
    this.pullFn = this.cancelFn = this.onDrained = this.onEnd = undefined;
    onEnd?.();
  }

  cancelSteps(reason) {
    this.forget();
    const result = this.cancelFn === undefined ? RESOLVED : this.cancelFn(reason);
    this.clear();
    return result;
  }

  // A released reader leaves its first buffer with the source, which may be writing into it.
  releaseSteps() {
    if (this.pending.length === 0) return;
    this.pending[0].kind = "none";
    this.pending.length = 1;
  }
}

function filledView({ buffer, offset, filled, unit, Ctor }) {
  return new Ctor(transferBuffer(buffer), offset, filled / unit);
}

function copyOrFail(source, buffer, offset, length) {
  try {
    return sliceBuffer(buffer, offset, offset + length);
  } catch (error) {
    source.fail(error);
    throw error;
  }
}

class ReadableStreamBYOBRequest {
  #source;
  #view;

  constructor(secret, source, view) {
    if (secret !== SECRET) throw illegal();
    this.#source = source;
    this.#view = view;
  }

  get view() { return this.#view; }

  respond(bytesWritten) {
    need(arguments.length, 1, "respond");
    const written = enforceRange(bytesWritten, "bytesWritten");
    if (this.#source === undefined) throw new TypeError("respond: the request was answered already");
    if (isDetached(this.#view.buffer)) throw new TypeError("respond: the view's buffer is detached");
    this.#source.respond(written);
  }

  respondWithNewView(view) {
    need(arguments.length, 1, "respondWithNewView");
    if (!isView(view)) throw new TypeError("respondWithNewView: not an ArrayBufferView");
    if (this.#source === undefined) throw new TypeError("respondWithNewView: the request was answered already");
    if (isDetached(view.buffer)) throw new TypeError("respondWithNewView: the view's buffer is detached");
    this.#source.respondNewView(view);
  }

  static invalidateRequest(request) {
    request.#source = undefined;
    request.#view = null;
  }
}

const { invalidateRequest } = ReadableStreamBYOBRequest;
delete ReadableStreamBYOBRequest.invalidateRequest;

class ReadableByteStreamController {
  #source;

  constructor(secret, source) {
    if (secret !== SECRET) throw illegal();
    this.#source = source;
  }

  get byobRequest() { return this.#source.byobRequest; }
  get desiredSize() { return this.#source.desiredSize; }

  enqueue(chunk) {
    need(arguments.length, 1, "enqueue");
    const source = this.#source;
    if (!isView(chunk)) throw new TypeError("enqueue: the chunk is not an ArrayBufferView");
    if (chunk.byteLength === 0) throw new TypeError("enqueue: the chunk is empty");
    if (bufferLength(chunk.buffer) === 0) throw new TypeError("enqueue: the chunk's buffer is empty");
    if (!source.open) throw new TypeError("Cannot enqueue into a stream that is closed or errored");
    source.enqueue(chunk);
  }

  close() {
    if (!this.#source.open) throw new TypeError("Cannot close a stream that is closed or errored");
    this.#source.close();
  }

  error(reason = undefined) { this.#source.fail(reason); }
}

publish(ReadableStreamBYOBRequest, ReadableByteStreamController);
