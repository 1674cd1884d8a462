// TextEncoderStream and TextDecoderStream.

class TextEncoderStream {
  #transform;

  constructor() {
    let high = ""; // a lead surrogate that waits for its trail
    const split = (chunk) => {
      const text = high + `${chunk}`;
      const last = text.charCodeAt(text.length - 1);
      high = last >= 0xd800 && last <= 0xdbff ? text.slice(-1) : "";
      return high === "" ? text : text.slice(0, -1);
    };
    this.#transform = textTransform(split, () => high, encodeText);
  }

  get encoding() { return this.#transform, "utf-8"; }
  get readable() { return this.#transform.readable.public; }
  get writable() { return this.#transform.writable.public; }
}

// textTransform sends convert(take(chunk)) on, and at the end convert(rest()), unless empty.
function textTransform(take, rest, convert) {
  const give = (value) => promised(() => {
    const text = value();
    if (text.length > 0) transform.enqueue(convert(text));
    return RESOLVED;
  });
  const transform = new Transform({
    transform: (chunk) => give(() => take(chunk)),
    flush: () => give(rest),
  }, { mark: 1, size: one }, { mark: 0, size: one });
  transform.start();
  return transform;
}

class TextDecoderStream {
  #decoder;
  #transform;

  constructor(label = "utf-8", options = undefined) {
    const textDecoder = new TextDecoder(label, dictionary(options, "options"));
    this.#decoder = textDecoder;
    this.#transform = textTransform((chunk) => {
      if (!isView(chunk) && !isBuffer(chunk)) throw new TypeError("TextDecoderStream: the chunk is not a buffer");
      return decodeWith(textDecoder, chunk, { stream: true });
    }, () => decodeWith(textDecoder), (text) => text);
  }

  get encoding() { return this.#decoder.encoding; }
  get fatal() { return this.#decoder.fatal; }
  get ignoreBOM() { return this.#decoder.ignoreBOM; }
  get readable() { return this.#transform.readable.public; }
  get writable() { return this.#transform.writable.public; }
}

publish(TextEncoderStream, TextDecoderStream);
