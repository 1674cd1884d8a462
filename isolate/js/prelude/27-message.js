// MessageChannel: two ports inside one isolate. A message is a task of the request that posted it,
// after everything that is running, and goes silently when that request is over. What module scope
// posts belongs to no request: it is delivered as a microtask.

const MESSAGES_MAX = 10_000; // that wait for one port to start

const isIterable = (value) => typeof value === "object" && value !== null && Symbol.iterator in value;

class MessagePort extends EventTarget {
  #other = null;
  #started = false;
  #closed = false;
  #waiting = []; // {request, data} for start()

  constructor(secret) {
    if (secret !== SECRET) throw illegal();
    super();
  }

  postMessage(message, options = undefined) {
    need(arguments.length, 1, "postMessage");
    const transfer = isIterable(options) ? options : dictionary(options, "options").transfer;
    const data = structuredCloneOf(message, transfer === undefined ? [] : [...transfer]);
    this.#other?.#receive({ request: sw.request(), data });
  }

  start() {
    if (this.#started) return;
    this.#started = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.#receive(message);
  }

  // What was posted before still arrives at the other port.
  close() {
    this.#closed = true;
    if (this.#other) this.#other.#other = null;
    this.#other = null;
    this.#waiting = [];
  }

  #receive(message) {
    if (!this.#started) return this.#keep(message);
    const deliver = () => this.#deliver(message.data);
    if (message.request === 0) microtask(deliver);
    else if (message.request === sw.request()) sw.timer(0, deliver);
  }

  #keep(message) {
    if (this.#waiting.length >= MESSAGES_MAX) {
      throw new DOMException(`Too many messages: ${MESSAGES_MAX} wait for the port to start`, "QuotaExceededError");
    }
    this.#waiting.push(message);
  }

  #deliver(data) {
    if (!this.#closed) fire(this, trusted(new MessageEvent("message", { data })));
  }

  static entangle(a, b) {
    a.#other = b;
    b.#other = a;
  }
}

const { entangle } = MessagePort;
delete MessagePort.entangle;

handlerAttribute(MessagePort.prototype, "message", (port) => port.start());
handlerAttribute(MessagePort.prototype, "messageerror");

class MessageChannel {
  #port1 = new MessagePort(SECRET);
  #port2 = new MessagePort(SECRET);

  constructor() {
    entangle(this.#port1, this.#port2);
  }

  get port1() { return this.#port1; }
  get port2() { return this.#port2; }
}

publish(MessagePort, MessageChannel);
