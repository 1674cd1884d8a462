// Timers. One belongs to the request that made it: it fires as part of that request, and goes
// silently when the request is over. The shim holds the callback until then, and the table below
// holds timers weakly, so that a request that ended leaves no more than a dead entry behind.

const TIMERS_MAX = 10_000; // live at once in one isolate
const SWEEP_AT = 256;      // entries, before the first look for dead ones
const DELAY_MAX = 0x7fffffff;

const timers = new Map(); // id → WeakRef of Timer
let lastTimer = 0;
let sweepAt = SWEEP_AT;

function timerDelay(delay) {
  const ms = Number(delay);
  return ms >= 1 ? Math.min(Math.trunc(ms), DELAY_MAX) : 0;
}

class Timer {
  constructor(callback, args, delay, repeats) {
    this.id = ++lastTimer;
    this.request = sw.request();
    this.callback = callback;
    this.args = args;
    this.delay = delay;
    this.repeats = repeats;
    this.arm();
  }

  arm() {
    this.op = sw.timer(this.delay, () => this.fire());
  }

  // An interval is armed again before its callback runs, so that clearInterval inside stops it.
  fire() {
    if (this.repeats) this.arm();
    else timers.delete(this.id);
    try {
      apply(this.callback, globalThis, this.args);
    } catch (error) {
      reportException(error);
    }
  }

  stop() {
    timers.delete(this.id);
    requestBound(this.request, () => sw.stop(this.op));
  }
}

function startTimer(name, callback, delay, args, repeats) {
  if (typeof callback !== "function") throw notFunction(name);
  const ms = timerDelay(delay);
  insideHandler();
  if (timers.size >= sweepAt) sweepTimers();
  if (timers.size >= TIMERS_MAX) throw new RangeError(`Too many timers: ${TIMERS_MAX} at once`);
  const timer = new Timer(callback, args, repeats ? Math.max(ms, 1) : ms, repeats);
  timers.set(timer.id, new WeakRef(timer));
  return timer.id;
}

function sweepTimers() {
  for (const [id, ref] of timers) if (ref.deref() === undefined) timers.delete(id);
  sweepAt = Math.max(SWEEP_AT, timers.size * 2);
}

function stopTimer(id) {
  timers.get(Number(id))?.deref()?.stop();
}

const timerFunctions = {
  setTimeout(callback, delay = 0, ...args) { return startTimer("setTimeout", callback, delay, args, false); },
  setInterval(callback, delay = 0, ...args) { return startTimer("setInterval", callback, delay, args, true); },
  clearTimeout(id = undefined) { stopTimer(id); },
  clearInterval(id = undefined) { stopTimer(id); },
};

for (const name of ownKeys(timerFunctions)) expose(name, timerFunctions[name]);

class Scheduler {
  constructor(secret) {
    if (secret !== SECRET) throw illegal();
  }

  async wait(delay, options = undefined) {
    const signal = dictionary(options, "options").signal;
    const ms = timerDelay(delay);
    insideHandler();
    signal?.throwIfAborted();
    const { promise, resolve, reject } = withResolvers();
    const timer = sw.timer(ms, resolve);
    const request = sw.request();
    const stop = (reason) => {
      requestBound(request, () => sw.stop(timer));
      reject(reason);
    };
    if (signal) onAbort(signal, stop);
    await promise;
    if (signal) offAbort(signal, stop);
  }
}

interfaceOf(Scheduler);
expose("scheduler", new Scheduler(SECRET));
