// Streams as async iterables, and async iterables as streams.

const AsyncIteratorPrototype = getPrototypeOf(getPrototypeOf(async function* () {}).prototype);
const END = Symbol("end");

class ReadableStreamAsyncIterator {
  #reader;
  #preventCancel;
  #ongoing = undefined; // calls are answered one after the other
  #finished = false;

  constructor(reader, preventCancel) {
    this.#reader = reader;
    this.#preventCancel = preventCancel;
  }

  next() {
    return promised(() => this.#queue(() => this.#next()));
  }

  return(value) {
    return promised(() => then(this.#queue(() => this.#return(value)), () => ({ value, done: true })));
  }

  #queue(steps) {
    this.#ongoing = this.#ongoing === undefined ? steps() : then(this.#ongoing, steps, steps);
    return this.#ongoing;
  }

  #next() {
    if (this.#finished) return promiseResolve({ value: undefined, done: true });
    const { promise, resolve, reject } = withResolvers();
    this.#reader.read({ chunk: resolve, close: () => this.#end(resolve, END), error: (error) => this.#end(reject, error) });
    return then(promise, (value) => this.#result(value), (error) => this.#failed(error));
  }

  #end(settle, value) {
    this.#reader.release();
    settle(value);
  }

  #result(value) {
    this.#ongoing = undefined;
    if (value !== END) return { value, done: false };
    this.#finished = true;
    return { value: undefined, done: true };
  }

  #failed(error) {
    this.#ongoing = undefined;
    this.#finished = true;
    throw error;
  }

  #return(value) {
    if (this.#finished) return promiseResolve(undefined);
    this.#finished = true;
    const result = this.#preventCancel ? RESOLVED : this.#reader.cancel(value);
    this.#reader.release();
    return result;
  }
}

enumerableMembers(ReadableStreamAsyncIterator.prototype);
delete ReadableStreamAsyncIterator.prototype.constructor;
setPrototypeOf(ReadableStreamAsyncIterator.prototype, AsyncIteratorPrototype);

function iterateReadable(stream, preventCancel) {
  return new ReadableStreamAsyncIterator(new Reader(stream), preventCancel);
}

const needObject = (value, what) => {
  if (typeof value !== "object" && typeof value !== "function" || value === null) throw new TypeError(`${what} is not an object`);
  return value;
};

// asyncIteratorOf is ECMAScript's GetIterator(async): a sync iterator's values are awaited.
function asyncIteratorOf(iterable) {
  const asyncMethod = iterable[Symbol.asyncIterator];
  const isSync = asyncMethod === undefined || asyncMethod === null;
  const open = isSync ? iterable[Symbol.iterator] : asyncMethod;
  if (typeof open !== "function") throw new TypeError("ReadableStream.from: the argument is not iterable");
  const iterator = needObject(apply(open, iterable, []), "The iterator");
  return { iterator, next: iterator.next, isSync };
}

function awaitedResult(result) {
  needObject(result, "The iterator's result");
  return then(resolvedWith(result.value), (value) => ({ value, done: result.done }));
}

function readableFrom(iterable) {
  const { iterator, next, isSync } = asyncIteratorOf(iterable);
  const settle = (result) => (isSync ? awaitedResult(result) : resolvedWith(result));
  const stream = Readable.make({
    pull: () => then(promised(() => settle(apply(next, iterator, []))), (result) => {
      needObject(result, "The iterator's result");
      if (result.done) stream.controller.close();
      else stream.controller.enqueue(result.value);
    }),
    cancel: (reason) => promised(() => {
      const stop = iterator.return;
      if (stop === undefined || stop === null) return RESOLVED;
      return then(settle(apply(stop, iterator, [reason])), (result) => { needObject(result, "The iterator's result"); });
    }),
  }, 0);
  return stream;
}
