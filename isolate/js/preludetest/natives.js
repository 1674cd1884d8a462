// Stand-ins for what the shim makes natively, just enough for the prelude's stories, and a mock
// of the bridge `sw` with a clock that moves only when the test says so. Runs inside the engine,
// before the prelude.

globalThis.TextEncoder = class TextEncoder {
  encode(text = "") {
    const escaped = encodeURIComponent(`${text}`.toWellFormed());
    const bytes = [];
    for (let i = 0; i < escaped.length; i++) {
      if (escaped[i] !== "%") bytes.push(escaped.charCodeAt(i));
      else bytes.push(parseInt(escaped.slice(i + 1, (i += 2) + 1), 16));
    }
    return new Uint8Array(bytes);
  }
};

globalThis.TextDecoder = class TextDecoder {
  #left = [];
  constructor(label = "utf-8", { ignoreBOM = false, fatal = false } = {}) {
    Object.assign(this, { encoding: label, ignoreBOM, fatal });
  }
  decode(input = new Uint8Array(), { stream = false } = {}) {
    const view = ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);
    const bytes = [...this.#left, ...view];
    this.#left = [];
    let out = "";
    for (let i = 0; i < bytes.length; ) {
      const n = bytes[i] < 0x80 ? 1 : bytes[i] < 0xe0 ? 2 : bytes[i] < 0xf0 ? 3 : 4;
      const piece = bytes.slice(i, i + n);
      if (piece.length < n && stream) {
        this.#left = piece;
        break;
      }
      i += n;
      try {
        out += decodeURIComponent(piece.map((b) => `%${b.toString(16).padStart(2, "0")}`).join(""));
      } catch {
        if (this.fatal) throw new TypeError("not UTF-8");
        out += "\ufffd";
      }
    }
    return !this.ignoreBOM && out.startsWith("\ufeff") ? out.slice(1) : out;
  }
};

globalThis.Headers = class Headers {
  #map;
  constructor(init = {}) {
    this.#map = new Map(Object.entries(init).map(([k, v]) => [k.toLowerCase(), `${v}`]));
  }
  get(name) { return this.#map.get(name.toLowerCase()) ?? null; }
  delete(name) { this.#map.delete(name.toLowerCase()); }
  entries() { return this.#map.entries(); }
  get [Symbol.toStringTag]() { return "Headers"; }
};

globalThis.URL = class URL {
  #href;
  constructor(href) { this.#href = href; }
  get href() { return this.#href; }
};

globalThis.URLSearchParams = class URLSearchParams {
  #text;
  constructor(text) { this.#text = text; }
  *[Symbol.iterator]() {
    const plain = (s = "") => decodeURIComponent(s.replaceAll("+", " "));
    for (const pair of this.#text.split("&")) if (pair) yield pair.split("=").map(plain);
  }
};

globalThis.Request = class Request {
  #url;
  #init;
  constructor(input, init = {}) {
    this.#url = typeof input === "string" ? input : input.url;
    this.#init = init;
  }
  get url() { return this.#url; }
  get method() { return this.#init.method ?? "GET"; }
  get headers() { return new Headers(this.#init.headers); }
  get signal() { return (this.#init.signal ??= sw.hooks.newSignal()) ?? null; }
  static given(request) { return request.#init.signal; }
};

const signalOf = Request.given;
delete Request.given;

// Fetcher stands for the shim's class: the prelude gives its prototype a prototype.
class Fetcher {
  constructor(fetch) {
    Object.defineProperty(this, "fetch", { value: fetch });
  }
}

function fetchBy(binding, name, options, input, init) {
  if (mock.module) return Promise.reject(sw.hooks.scopeError());
  const request = init === undefined && input instanceof Request ? input : new Request(input, init);
  const signal = signalOf(request);
  try {
    if (signal !== undefined) return sw.hooks.fetchAbortable(signal, binding, request, name, options);
    return sw.fetch(binding, request, name, options);
  } catch (error) {
    return Promise.reject(error);
  }
}

globalThis.fetch = (input, init) => fetchBy(-1, undefined, undefined, input, init);

globalThis.Response = class Response {
  #body;
  #status;
  constructor(body, { status = 200 } = {}) {
    this.#body = body;
    this.#status = status;
  }
  get status() { return this.#status; }
  get headers() { return new Headers(); }
  get bodyUsed() { return false; }
  get body() { return typeof this.#body === "number" ? (this.#body = sw.hooks.bodyStream(this, this.#body)) : this.#body?.getReader ? this.#body : null; }
  text() { return Promise.resolve(this.#body); }
};

// mock is what stories use to play the host.
globalThis.mock = {
  request: 1,
  module: false,
  time: 1_000,
  logs: [],
  calls: [],
  ops: new Map(), // op → {request, due, callback}
  bodies: new Map(), // handle → chunks left
  written: [],
  lastOp: 0,

  // advance moves the clock, running the timers that fall due in order.
  async advance(ms) {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.ops].filter(([, op]) => op.due <= end).sort((a, b) => a[1].due - b[1].due || a[0] - b[0])[0];
      if (!due) break;
      const [id, op] = due;
      this.ops.delete(id);
      this.time = op.due;
      sw.asRequest(op.request, op.callback);
      await mock.idle();
    }
    this.time = end;
  },

  // idle lets every job that is queued run.
  async idle() {
    for (let i = 0; i < 50; i++) await undefined;
  },

  // later gives a value as an operation of the host does.
  later(value) {
    return new Promise((resolve) => this.ops.set(++this.lastOp, { request: this.request, due: this.time + 1, callback: () => resolve(value) }));
  },
};

globalThis.sw = {
  wasmImport: () => 0,
  now: () => mock.time,
  request: () => mock.request,
  moduleScope: () => mock.module,
  frame: () => undefined,
  lastOp: () => mock.lastOp,
  asRequest(id, fn) {
    const before = mock.request;
    mock.request = id;
    try {
      return fn();
    } finally {
      mock.request = before;
    }
  },
  log: (level, text) => { mock.logs.push([level, text]); },
  hold: (promise) => { mock.calls.push(["hold"]); },
  timer(ms, callback) {
    mock.ops.set(++mock.lastOp, { request: mock.request, due: mock.time + ms, callback });
    return mock.lastOp;
  },
  stop(op) {
    mock.calls.push(["stop", mock.request]);
    mock.ops.delete(op);
  },
  random(bytes) {
    if (mock.module) throw new Error("module scope");
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 37 + 11) & 255;
  },
  read(handle) {
    mock.calls.push(["read", handle, mock.request]);
    const text = mock.bodies.get(handle).shift();
    return Promise.resolve(text === undefined ? null : new TextEncoder().encode(text));
  },
  cancel: (handle) => { mock.calls.push(["cancel", handle, mock.request]); },
  write(chunk) {
    mock.written.push(new TextDecoder().decode(chunk));
    return mock.onWrite?.(chunk);
  },
  end: (message) => { mock.written.push(message === undefined ? "END" : `FAILED ${message}`); },
  fetcher: (binding, name, options) => new Fetcher((input, init) => fetchBy(binding, name, options, input, init)),
  dispatchNamespace: (binding) => ({ get: (name) => sw.fetcher(binding, name) }),
  newStream: () => 7,
  write2: (id, chunk) => { mock.written.push(`${id}:${new TextDecoder().decode(chunk)}`); },
  end2: (id, message) => { mock.written.push(`${id}:${message ?? "END"}`); },
  fetch(binding, request, name, options) {
    mock.calls.push(["fetch", binding, request.url, name ?? null, options === undefined ? null : JSON.parse(options)]);
    return mock.onFetch ? mock.onFetch(request) : Promise.resolve(new Response("ok"));
  },
};
