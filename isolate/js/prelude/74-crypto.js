// crypto, and its random numbers: they come from the host, one call each. crypto.subtle is in 75.

const RANDOM_MAX = 65_536; // bytes of one getRandomValues
const integerView = /^(?:Big)?(?:Int|Uint)(?:8|16|32|64)(?:Clamped)?Array$/;

class Crypto {
  constructor(secret) {
    if (secret !== SECRET) throw illegal();
  }

  get subtle() { return subtle; }

  getRandomValues(array) {
    need(arguments.length, 1, "getRandomValues");
    const tag = isView(array) ? typedTag(array) : undefined;
    if (tag === undefined || !integerView.test(tag)) throw new DOMException("getRandomValues: not an integer typed array", "TypeMismatchError");
    if (array.byteLength > RANDOM_MAX) {
      throw new DOMException(`getRandomValues: ${array.byteLength} bytes asked for, at most ${RANDOM_MAX} can be given`, "QuotaExceededError");
    }
    insideHandler();
    sw.random(bytesOf(array));
    return array;
  }

  randomUUID() {
    insideHandler();
    const b = new Uint8Array(16);
    sw.random(b);
    b[6] = (b[6] & 0x0f) | 0x40; // version 4
    b[8] = (b[8] & 0x3f) | 0x80; // RFC 9562's variant
    const hex = b.toHex();
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}

publish(Crypto);
expose("crypto", new Crypto(SECRET));
