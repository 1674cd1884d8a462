// The events that carry something. All are small: their fields are what their constructor was given.

class CustomEvent extends Event {
  #detail;

  constructor(type, init = undefined) {
    need(arguments.length, 1, "CustomEvent constructor");
    super(type, init);
    this.#detail = init?.detail ?? null;
  }

  get detail() { return this.#detail; }
}

class MessageEvent extends Event {
  #init;

  constructor(type, init = undefined) {
    need(arguments.length, 1, "MessageEvent constructor");
    super(type, init);
    this.#init = { data: init?.data ?? null, origin: `${init?.origin ?? ""}`, lastEventId: `${init?.lastEventId ?? ""}` };
  }

  get data() { return this.#init.data; }
  get origin() { return this.#init.origin; }
  get lastEventId() { return this.#init.lastEventId; }
  get source() { return null; }
  get ports() { return []; }
}

class ErrorEvent extends Event {
  #init;

  constructor(type, init = undefined) {
    need(arguments.length, 1, "ErrorEvent constructor");
    super(type, init);
    this.#init = {
      message: `${init?.message ?? ""}`,
      filename: `${init?.filename ?? ""}`,
      lineno: (init?.lineno ?? 0) >>> 0,
      colno: (init?.colno ?? 0) >>> 0,
      error: init?.error,
    };
  }

  get message() { return this.#init.message; }
  get filename() { return this.#init.filename; }
  get lineno() { return this.#init.lineno; }
  get colno() { return this.#init.colno; }
  get error() { return this.#init.error; }
}

class PromiseRejectionEvent extends Event {
  #promise;
  #reason;

  constructor(type, init) {
    need(arguments.length, 2, "PromiseRejectionEvent constructor");
    super(type, init);
    this.#promise = init.promise;
    this.#reason = init.reason;
  }

  get promise() { return this.#promise; }
  get reason() { return this.#reason; }
}

publish(CustomEvent, MessageEvent, ErrorEvent, PromiseRejectionEvent);
