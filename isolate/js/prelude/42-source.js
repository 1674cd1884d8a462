// Source is what the two controllers of a ReadableStream share: when start() and pull() of the
// underlying source are called. A controller adds its queue: `queued` is how much is in it, `public`
// its wrapper for the tenant, and `fail` ends the stream.

class Source {
  constructor(stream, { start, pull, cancel }, mark) {
    stream.controller = this;
    this.stream = stream;
    this.mark = mark;
    this.startFn = start;
    this.pullFn = pull;
    this.cancelFn = cancel;
    this.started = this.closing = this.pulling = this.pullAgain = false;
    this.wrapper = undefined;
  }

  start() {
    const result = this.startFn === undefined ? undefined : this.startFn(this.public);
    upon(resolvedWith(result), () => {
      this.started = true;
      this.pullIfNeeded();
    }, (error) => this.fail(error));
  }

  get desiredSize() {
    if (this.stream.state === "errored") return null;
    return this.stream.state === "closed" ? 0 : this.mark - this.queued;
  }

  get open() { return !this.closing && this.stream.state === "readable"; }

  get wantsMore() {
    if (!this.open || !this.started) return false;
    return this.stream.reader?.requests.length > 0 || this.desiredSize > 0;
  }

  pullIfNeeded() {
    if (!this.wantsMore) return;
    if (this.pulling) {
      this.pullAgain = true;
      return;
    }
    this.pulling = true;
    upon(this.pullFn === undefined ? RESOLVED : this.pullFn(this.public), () => this.pulled(), (error) => this.fail(error));
  }

  pulled() {
    this.pulling = false;
    if (!this.pullAgain) return;
    this.pullAgain = false;
    this.pullIfNeeded();
  }
}
