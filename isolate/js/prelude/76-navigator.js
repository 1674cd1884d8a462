// navigator and performance. Time stands still while guest code runs: it moves with I/O only.

class Navigator {
  constructor(secret) {
    if (secret !== SECRET) throw illegal();
  }

  get userAgent() { return "Cloudflare-Workers"; }
}

publish(Navigator);
expose("navigator", new Navigator(SECRET));

// As in Workers, the origin of time is the epoch: an isolate has no moment of birth that a
// snapshot would not carry into every clone.
class Performance extends EventTarget {
  constructor(secret) {
    if (secret !== SECRET) throw illegal();
    super();
  }

  get timeOrigin() { return 0; }
  now() { return sw.now(); }
  toJSON() { return { timeOrigin: 0 }; }
}

publish(Performance);
expose("performance", new Performance(SECRET));
