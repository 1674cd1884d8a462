// The queue-with-sizes of the Streams standard, and the two queuing strategies.

class SizedQueue {
  constructor() {
    this.reset();
  }

  reset() {
    this.entries = [];
    this.first = 0; // index of the oldest entry: shifting an array costs its length
    this.total = 0;
  }

  get length() { return this.entries.length - this.first; }

  push(value, size) {
    const number = Number(size);
    if (!(number >= 0) || number === Infinity) throw new RangeError("size must be a finite, non-negative number");
    this.entries[this.entries.length] = { value, size: number };
    this.total += number;
  }

  shift() {
    const { value, size } = this.entries[this.first];
    this.entries[this.first++] = undefined;
    if (this.first === this.entries.length) this.entries.length = this.first = 0;
    this.total = Math.max(this.total - size, 0); // rounding must not leave it below zero
    return value;
  }

  peek() { return this.entries[this.first].value; }
}

// strategyOf converts a queuing strategy dictionary, members in Web IDL's order.
function strategyOf(strategy, defaultMark) {
  const { highWaterMark, size } = dictionary(strategy, "strategy");
  if (size !== undefined && typeof size !== "function") throw new TypeError("size is not a function");
  const mark = highWaterMark === undefined ? defaultMark : Number(highWaterMark);
  return { mark, given: size !== undefined, size: size === undefined ? one : (chunk) => apply(size, undefined, [chunk]) };
}

function checkedMark({ mark }) {
  if (!(mark >= 0)) throw new RangeError("highWaterMark must be a non-negative number");
  return mark;
}

function strategyInit(init, what) {
  if (typeof init !== "object" && typeof init !== "function" || init === null) throw new TypeError(`${what}: init is not an object`);
  const { highWaterMark } = init;
  if (highWaterMark === undefined) throw new TypeError(`${what}: highWaterMark is required`);
  return Number(highWaterMark);
}

const countSize = { size() { return 1; } }.size;
const byteSize = { size(chunk) { return chunk.byteLength; } }.size;

class CountQueuingStrategy {
  #mark;

  constructor(init) {
    this.#mark = strategyInit(init, "CountQueuingStrategy");
  }

  get highWaterMark() { return this.#mark; }
  get size() { return this.#mark, countSize; }
}

class ByteLengthQueuingStrategy {
  #mark;

  constructor(init) {
    this.#mark = strategyInit(init, "ByteLengthQueuingStrategy");
  }

  get highWaterMark() { return this.#mark; }
  get size() { return this.#mark, byteSize; }
}

publish(CountQueuingStrategy, ByteLengthQueuingStrategy);
