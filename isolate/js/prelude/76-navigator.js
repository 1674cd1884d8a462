// navigator and performance. Time stands still while guest code runs: it moves with I/O only.

const LANGUAGES = freeze(["en"]);

class Navigator {
  constructor(secret) {
    if (secret !== SECRET) throw illegal();
  }

  get userAgent() { return "Cloudflare-Workers"; }
  get language() { return "en"; }
  get languages() { return LANGUAGES; }
  get platform() { return ""; }
  get hardwareConcurrency() { return 1; }
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
