// The ratelimit binding. What limit() says to odd options is what others that have it say.

class RateLimit {
  #index;

  constructor(secret, index) {
    if (secret !== SECRET) throw illegal();
    this.#index = index;
  }

  limit(options) {
    return promised(() => {
      const asked = askBinding(this.#index, rateKeyOf(options), undefined);
      return then(asked, (response) => ({ success: responseStatus(response) === 200 }));
    });
  }
}

function rateKeyOf(options) {
  if (typeof options !== "object" || options === null) throw new Error("invalid rate limit options");
  const unknown = ownKeys(options).filter((name) => name !== "key");
  if (unknown.length > 0) throw new Error(`bad rate limit options: [${unknown.map(String).join(",")}]`);
  const { key = "" } = options;
  if (typeof key !== "string") throw new Error(`invalid key: ${String(key)}`);
  return key;
}

interfaceOf(RateLimit, "Ratelimit");
bindingMakers.ratelimit = ({ index }) => new RateLimit(SECRET, index);
