// tee(): two branches of one stream. What one branch has read waits for the other.

const requestView = getterOf(ReadableStreamBYOBRequest.prototype, "view");

function teeReadable(stream) {
  return stream.isByte ? new ByteTee(stream).branches : new Tee(stream).branches;
}

class Tee {
  constructor(stream) {
    this.stream = stream;
    this.canceled = [false, false];
    this.reasons = [undefined, undefined];
    this.cancelling = withResolvers();
    this.reading = false;
    this.readAgain = false;
    this.reader = new Reader(stream);
    this.branches = [0, 1].map((i) => this.branch(i));
    this.watch(this.reader);
  }

  branch(i) {
    return Readable.make({ pull: () => this.pull(), cancel: (reason) => this.cancel(i, reason) });
  }

  watch(reader) {
    upon(reader.closed.promise, noop, (error) => {
      if (reader === this.reader) this.failAll(error);
    });
  }

  failAll(error) {
    for (const { controller } of this.branches) controller.fail(error);
    this.settle();
  }

  settle(result) {
    if (!this.canceled[0] || !this.canceled[1]) this.cancelling.resolve(result);
  }

  pull() {
    if (this.reading) {
      this.readAgain = true;
      return RESOLVED;
    }
    this.reading = true;
    this.reader.read({
      chunk: (chunk) => microtask(() => this.share(chunk)),
      close: () => this.close(),
      error: () => { this.reading = false; },
    });
    return RESOLVED;
  }

  share(chunk) {
    this.readAgain = false;
    this.open((controller) => controller.enqueue(chunk));
    this.reading = false;
    if (this.readAgain) this.pull();
  }

  close() {
    this.reading = false;
    this.open((controller) => controller.close());
    this.settle();
  }

  open(each) {
    for (let i = 0; i < 2; i++) if (!this.canceled[i]) each(this.branches[i].controller);
  }

  cancel(i, reason) {
    this.canceled[i] = true;
    this.reasons[i] = reason;
    if (this.canceled[1 - i]) this.cancelling.resolve(this.stream.cancel(this.reasons));
    return this.cancelling.promise;
  }
}

// ByteTee reads into the buffer that one branch offers, when it offers one, and copies for the other.
class ByteTee extends Tee {
  constructor(stream) {
    super(stream);
    this.again = [false, false];
  }

  branch(i) {
    return Readable.makeBytes({ pull: () => this.pull(i), cancel: (reason) => this.cancel(i, reason) });
  }

  pull(i) {
    if (this.reading) {
      this.again[i] = true;
      return RESOLVED;
    }
    this.reading = true;
    const request = this.branches[i].controller.byobRequest;
    if (request === null) this.pullDefault();
    else this.pullInto(i, requestView(request));
    return RESOLVED;
  }

  use(ReaderClass) {
    if (this.reader.isBYOB === (ReaderClass === BYOBReader)) return;
    this.reader.release();
    this.reader = new ReaderClass(this.stream);
    this.watch(this.reader);
  }

  pullDefault() {
    this.use(Reader);
    this.reader.read({
      chunk: (chunk) => microtask(() => this.share(chunk)),
      close: () => this.closeBoth(),
      error: () => { this.reading = false; },
    });
  }

  share(chunk) {
    this.again = [false, false];
    const [first, second] = this.branches;
    let copy = chunk;
    if (!this.canceled[0] && !this.canceled[1]) {
      copy = this.copied(chunk);
      if (copy === undefined) return;
    }
    if (!this.canceled[0]) first.controller.enqueue(chunk);
    if (!this.canceled[1]) second.controller.enqueue(copy);
    this.next();
  }

  next() {
    this.reading = false;
    if (this.again[0]) this.pull(0);
    else if (this.again[1]) this.pull(1);
  }

  copied(chunk) {
    try {
      return new Uint8Array(sliceBuffer(chunk.buffer, chunk.byteOffset, chunk.byteOffset + chunk.byteLength));
    } catch (error) {
      for (const { controller } of this.branches) controller.fail(error);
      this.cancelling.resolve(this.stream.cancel(error));
      return undefined;
    }
  }

  closeBoth() {
    this.reading = false;
    this.open((controller) => controller.close());
    for (const { controller } of this.branches) if (controller.pending.length > 0) controller.respond(0);
    this.settle();
  }

  pullInto(i, view) {
    this.use(BYOBReader);
    this.reader.read(view, 1, {
      chunk: (chunk) => microtask(() => this.shareInto(i, chunk)),
      close: (chunk) => this.closeInto(i, chunk),
      error: () => { this.reading = false; },
    });
  }

  shareInto(i, chunk) {
    this.again = [false, false];
    const mine = this.branches[i].controller;
    const other = this.branches[1 - i].controller;
    const copy = this.canceled[1 - i] ? undefined : this.copied(chunk);
    if (copy === undefined && !this.canceled[1 - i]) return;
    if (!this.canceled[i]) mine.respondNewView(chunk);
    if (copy !== undefined) other.enqueue(copy);
    this.next();
  }

  closeInto(i, chunk) {
    this.reading = false;
    const mine = this.branches[i].controller;
    const other = this.branches[1 - i].controller;
    this.open((controller) => controller.close());
    if (chunk !== undefined) {
      if (!this.canceled[i]) mine.respondNewView(chunk);
      if (!this.canceled[1 - i] && other.pending.length > 0) other.respond(0);
    }
    this.settle();
  }
}
