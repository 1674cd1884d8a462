// What an HTMLRewriter does with one response. The host cuts the document and tells events, in order;
// here the handlers run, and what they leave of each token is sent on.
//
//   source ──bytes──► host ──events──► handlers ──bytes──► readable

const HTML = 5;
const CHECK_SELECTOR = 1, NEW_REWRITER = 2, WRITE_HTML = 3, MORE_HTML = 4, END_HTML = 5, ENCODE_HTML = 6;
const START_TAG = 1, END_TAG = 2, TEXT = 3, COMMENT = 4;
const HTML_PIECE = 65536; // bytes the host is given at once
const parseJSON = JSON.parse;
const replaceText = uncurry(String.prototype.replaceAll);
const escapeHTML = (text) => replaceText(replaceText(replaceText(text, "&", "&amp;"), "<", "&lt;"), ">", "&gt;");

// Changes are what handlers have put around a token, or in its place.
class Changes {
  before = [];
  after = [];
  replacement = [];
  removed = false;

  replace(content) {
    this.replacement = [content];
    this.removed = true;
  }
}

const prepended = (list, item) => [item, ...list];

class Rewriting {
  constructor(spec, charset, handlers, source) {
    this.request = sw.request();
    this.handlers = handlers; // { registrations, documents }
    this.utf8 = charset === "";
    this.object = newObject(HTML, NEW_REWRITER, 0, spec);
    this.reader = new Reader(source);
    source.disturbed = true; // the response is used, though not a byte has been read
    this.begun = new Map(); // start tags whose end tags something happens at, by id
    this.hiding = 0; // the id of the element whose content is dropped
    this.output = [];
    this.size = 0;
    this.readable = Readable.makeBytes({ pull: () => this.pull(), cancel: (reason) => this.cancel(reason) });
  }

  // pull goes on until there is something to read.
  async pull() {
    try {
      for (let going = true; going && !this.flush();) {
        const chunk = await this.read();
        if (chunk === undefined) await this.finish();
        else await this.feed(chunk);
        going = chunk !== undefined;
      }
    } catch (error) {
      this.free();
      handled(this.reader.cancel(error));
      throw error;
    }
  }

  read() {
    const { promise, resolve, reject } = withResolvers();
    this.reader.read({ chunk: resolve, close: () => resolve(undefined), error: reject });
    return promise;
  }

  cancel(reason) {
    this.free();
    return this.reader.cancel(reason);
  }

  free() {
    const object = this.object;
    this.object = 0;
    if (object !== 0) requestBound(this.request, () => freeObject(HTML, object));
  }

  ask(method, ...parts) {
    return requestBound(this.request, () => service(HTML, method, this.object, ...parts));
  }

  async feed(chunk) {
    if (!isBytes(chunk)) throw new TypeError(NOT_BYTES);
    for (let at = 0; at < chunk.byteLength && this.object !== 0; at += HTML_PIECE) {
      await this.take(WRITE_HTML, MORE_HTML, chunk.subarray(at, at + HTML_PIECE));
    }
  }

  async finish() {
    await this.take(END_HTML, END_HTML);
    const ending = [];
    for (const { handlers, end } of this.handlers.documents) {
      if (end !== undefined) await this.tell(handlers, end, new DocumentEnd(SECRET, { ending }));
    }
    await this.sendAll(ending);
    this.flush();
    this.free();
    this.readable.controller.end();
  }

  // take asks for events until there are no more, and handles them.
  async take(method, next, ...parts) {
    for (let more = true; more && this.object !== 0; method = next, parts = []) {
      const answer = this.ask(method, ...parts);
      let at = 4 + wordAt(answer, 0);
      const events = parseJSON(decodeText(answer.subarray(4, at)));
      more = events[0] === 1;
      for (let i = 1; i < events.length; i++) {
        const event = events[i];
        const length = typeof event === "number" ? event : event[1];
        const raw = answer.subarray(at, at += length);
        if (typeof event === "number") this.send(raw);
        else await this.handle(event, raw);
      }
    }
  }

  handle(event, raw) {
    switch (event[0]) {
      case START_TAG: return this.startTag(event, raw);
      case END_TAG: return this.endTag(event, raw);
      case TEXT: return this.textChunk(event, raw);
      case COMMENT: return this.comment(event, raw);
    }
    return this.doctype(event, raw);
  }

  async startTag([, , id, selected, name, attributes, namespace, selfClosing, hasContent], raw) {
    const tag = new StartTag(name, attributes, namespace, selfClosing, hasContent);
    tag.hidden = this.hiding !== 0;
    for (const n of selected) {
      const { handlers, element } = this.handlers.registrations[n];
      await this.tell(handlers, element, new Element(SECRET, tag));
    }
    await this.emit(tag.changes, () => (tag.changed ? this.encode(tag.markup()) : raw));
    if (tag.atEnd) this.begun.set(id, tag);
    if (tag.dropsContent && this.hiding === 0) this.hiding = id;
  }

  async endTag([, , ended, name], raw) {
    const tag = { name, changed: false, changes: new Changes() };
    for (const id of ended) {
      if (this.hiding === id) this.hiding = 0;
      const start = this.begun.get(id);
      this.begun.delete(id);
      if (start !== undefined) await this.endElement(start, tag);
    }
    await this.emit(tag.changes, () => (tag.changed ? this.encode(`</${tag.name}>`) : raw));
  }

  async endElement(start, tag) {
    if (start.renamed) {
      tag.name = start.name;
      tag.changed = true;
    }
    if (start.endChanges !== undefined) tag.changes = start.endChanges;
    if (start.onEnd !== undefined) await this.tell(undefined, start.onEnd, new EndTag(SECRET, tag));
  }

  async textChunk([, , selected, text, last], raw) {
    const chunk = { text, last, changes: new Changes() };
    await this.tellAll(selected, "text", () => new Text(SECRET, chunk));
    await this.emit(chunk.changes, () => this.encode(text));
  }

  async comment([, , selected, text], raw) {
    const comment = { text, changed: false, changes: new Changes() };
    await this.tellAll(selected, "comments", () => new Comment(SECRET, comment));
    await this.emit(comment.changes, () => (comment.changed ? this.encode(`<!--${comment.text}-->`) : raw));
  }

  async doctype([, , name, publicId, systemId], raw) {
    for (const { handlers, doctype } of this.handlers.documents) {
      if (doctype !== undefined) await this.tell(handlers, doctype, new Doctype(SECRET, { name, publicId, systemId }));
    }
    this.send(raw);
  }

  // tellAll runs the handlers of a kind: those of elements first, then the document's.
  async tellAll(selected, kind, make) {
    for (const n of selected) {
      const registration = this.handlers.registrations[n];
      await this.tell(registration.handlers, registration[kind], make());
    }
    for (const registration of this.handlers.documents) {
      if (registration[kind] !== undefined) await this.tell(registration.handlers, registration[kind], make());
    }
  }

  // tell runs one handler; its token is of use only as long as that takes.
  async tell(self, handler, token) {
    try {
      const result = requestBound(this.request, () => apply(handler, self, [token]));
      if (typeof result !== "object" || result === null) return;
      this.flush(); // what is ready does not wait
      await result;
    } finally {
      expireToken(token);
    }
  }

  async emit({ before, after, replacement, removed }, own) {
    if (before.length > 0) await this.sendAll(before);
    if (!removed) this.send(own());
    else if (replacement.length > 0) await this.sendAll(replacement);
    if (after.length > 0) await this.sendAll(after);
  }

  async sendAll(contents) {
    for (const { text, stream, html } of contents) {
      if (stream === undefined) this.send(this.encode(text));
      else await this.sendStream(stream, html);
    }
  }

  async sendStream(stream, html) {
    const from = new Reader(stream);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    for (let chunk; chunk !== null;) {
      const { promise, resolve, reject } = withResolvers();
      from.read({ chunk: resolve, close: () => resolve(null), error: reject });
      chunk = await promise;
      const text = chunk === null ? decodeWith(decoder) : typeof chunk === "string" ? chunk : decodeWith(decoder, chunk, { stream: true });
      this.send(this.encode(html ? text : escapeHTML(text)));
    }
  }

  encode(text) {
    return this.utf8 ? encodeText(text) : this.ask(ENCODE_HTML, text);
  }

  send(bytes) {
    if (this.hiding !== 0 || bytes.byteLength === 0) return;
    this.output.push(bytes);
    this.size += bytes.byteLength;
  }

  // flush gives the reader what is ready, and says whether there was anything.
  flush() {
    if (this.size === 0) return false;
    const bytes = concatBytes(this.output, this.size);
    this.output = [];
    this.size = 0;
    if (this.object !== 0) this.readable.controller.enqueue(bytes);
    return true;
  }
}
