// Event and EventTarget: the DOM's dispatch without a tree, since Workers have none.

const eventOf = Symbol("event");
const NONE = 0;
const AT_TARGET = 2;

class Event {
  #type;
  #bubbles;
  #cancelable;
  #composed;
  #timeStamp = sw.now();
  #target = null;
  #flags = { stop: false, stopNow: false, canceled: false, passive: false, dispatching: false, trusted: false };

  constructor(type, init = undefined) {
    need(arguments.length, 1, "Event constructor");
    init = dictionary(init, "Event init");
    this.#type = `${type}`;
    this.#bubbles = Boolean(init.bubbles);
    this.#cancelable = Boolean(init.cancelable);
    this.#composed = Boolean(init.composed);
  }

  get type() { return this.#type; }
  get target() { return this.#target; }
  get srcElement() { return this.#target; }
  get currentTarget() { return this.#flags.dispatching ? this.#target : null; }
  get eventPhase() { return this.#flags.dispatching ? AT_TARGET : NONE; }
  get bubbles() { return this.#bubbles; }
  get cancelable() { return this.#cancelable; }
  get composed() { return this.#composed; }
  get timeStamp() { return this.#timeStamp; }
  get isTrusted() { return this.#flags.trusted; }
  get defaultPrevented() { return this.#flags.canceled; }
  get returnValue() { return !this.#flags.canceled; }
  set returnValue(value) { if (!value) this.preventDefault(); }
  get cancelBubble() { return this.#flags.stop; }
  set cancelBubble(value) { if (value) this.#flags.stop = true; }

  composedPath() { return this.#flags.dispatching ? [this.#target] : []; }
  stopPropagation() { this.#flags.stop = true; }
  stopImmediatePropagation() { this.#flags.stop = this.#flags.stopNow = true; }
  preventDefault() {
    if (this.#cancelable && !this.#flags.passive) this.#flags.canceled = true;
  }
  initEvent(type, bubbles = false, cancelable = false) {
    need(arguments.length, 1, "initEvent");
    if (this.#flags.dispatching) return;
    this.#type = `${type}`;
    this.#bubbles = Boolean(bubbles);
    this.#cancelable = Boolean(cancelable);
    this.#target = null;
    this.#flags.stop = this.#flags.stopNow = this.#flags.canceled = false;
  }

  static isEvent(value) { return typeof value === "object" && value !== null && #flags in value; }
  static flagsOf(event) { return event.#flags; }
  static aim(event, target) { event.#target = target; }
}

const { isEvent, flagsOf, aim } = Event;
for (const name of ["isEvent", "flagsOf", "aim"]) delete Event[name];

["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"].forEach((name, value) => {
  for (const object of [Event, Event.prototype]) defineProperty(object, name, { value, enumerable: true });
});

function trusted(event) {
  flagsOf(event).trusted = true;
  return event;
}

// Listener is one registration. `removed` lets a dispatch under way skip it.
class Listener {
  constructor(type, callback, { capture, once, passive }) {
    this.type = type;
    this.callback = callback;
    this.capture = capture;
    this.once = once;
    this.passive = passive;
    this.removed = false;
  }
}

const flatten = (options) => Boolean(typeof options === "object" && options !== null ? options.capture : options);

function listenerOptions(options) {
  const listed = { capture: flatten(options), once: false, passive: false, signal: undefined };
  if (typeof options !== "object" || options === null) return listed;
  listed.once = Boolean(options.once);
  listed.passive = Boolean(options.passive);
  listed.signal = options.signal;
  if (listed.signal !== undefined && !isAbortSignal(listed.signal)) throw new TypeError("signal is not an AbortSignal");
  return listed;
}

class EventTarget {
  #listeners = [];

  addEventListener(type, callback, options = undefined) {
    need(arguments.length, 2, "addEventListener");
    const listed = listenerOptions(options);
    type = `${type}`;
    if (callback === null || callback === undefined) return;
    if (typeof callback !== "object" && typeof callback !== "function") throw new TypeError("listener is not an object");
    if (listed.signal?.aborted || this.#find(type, callback, listed.capture) >= 0) return;
    this.#listeners.push(new Listener(type, callback, listed));
    if (listed.signal) onAbort(listed.signal, () => this.#remove(type, callback, listed.capture));
  }

  removeEventListener(type, callback, options = undefined) {
    need(arguments.length, 2, "removeEventListener");
    this.#remove(`${type}`, callback, flatten(options));
  }

  dispatchEvent(event) {
    if (!isEvent(event)) throw new TypeError("dispatchEvent: argument is not an Event");
    const flags = flagsOf(event);
    if (flags.dispatching) throw new DOMException("The event is already being dispatched.", "InvalidStateError");
    flags.trusted = false;
    return this.#dispatch(event, flags);
  }

  #find(type, callback, capture) {
    return this.#listeners.findIndex((l) => l.type === type && l.callback === callback && l.capture === capture);
  }

  #remove(type, callback, capture) {
    const at = this.#find(type, callback, capture);
    if (at < 0) return;
    this.#listeners[at].removed = true;
    this.#listeners.splice(at, 1);
  }

  // Capturing listeners come first at the target, as everywhere.
  #dispatch(event, flags, report = reportException) {
    aim(event, publicTarget(this));
    flags.dispatching = true;
    const due = this.#listeners.filter((l) => l.type === event.type);
    for (const l of due) if (l.capture) this.#call(l, event, flags, report);
    if (!flags.stop) for (const l of due) if (!l.capture) this.#call(l, event, flags, report);
    flags.dispatching = flags.stop = flags.stopNow = false;
    return !flags.canceled;
  }

  #call(listener, event, flags, report) {
    if (flags.stopNow || listener.removed) return;
    if (listener.once) this.#remove(listener.type, listener.callback, listener.capture);
    flags.passive = listener.passive;
    try {
      invoke(listener.callback, event);
    } catch (error) {
      report(error);
    }
    flags.passive = false;
  }

  static fire(target, event, report) { return target.#dispatch(event, flagsOf(event), report); }
  static listens(target, type) { return target.#listeners.some((l) => l.type === type); }
}

const { fire, listens } = EventTarget;
for (const name of ["fire", "listens"]) delete EventTarget[name];

function invoke(callback, event) {
  if (typeof callback === "function") return apply(callback, event.currentTarget, [event]);
  const handle = callback.handleEvent;
  if (typeof handle !== "function") throw new TypeError("handleEvent is not a function");
  return apply(handle, callback, [event]);
}

// handlerAttribute defines an `onNAME` attribute on proto: one replaceable listener. `assigned` hears of each assignment.
function handlerAttribute(proto, type, assigned = noop) {
  const slots = new WeakMap();
  const listen = (target, fn) => {
    const slot = { fn, handleEvent: (event) => typeof slot.fn === "function" && apply(slot.fn, target, [event]) };
    slots.set(target, slot);
    target.addEventListener(type, slot);
  };
  defineProperty(proto, `on${type}`, {
    get() { return slots.get(this)?.fn ?? null; },
    set(value) {
      const fn = typeof value === "function" || (typeof value === "object" && value !== null) ? value : null;
      const slot = slots.get(this);
      if (slot) slot.fn = fn;
      else listen(this, fn);
      assigned(this);
    },
    enumerable: true, configurable: true,
  });
}

// publicTarget maps the hidden target behind globalThis.addEventListener to globalThis.
const publicTarget = (target) => (target === scope ? globalThis : target);
const scope = new EventTarget();

publish(Event, EventTarget);
