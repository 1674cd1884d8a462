// HTMLRewriter and the tokens that its handlers are given.

const STALE = "This content token is no longer valid. Content tokens are only valid during the execution of the relevant content handler.";
const htmlNamespaces = ["http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"];
const badParameter = (method, on, n, type) => new TypeError(`Failed to execute '${method}' on '${on}': parameter ${n} is not of type '${type}'.`);
const parserError = (why) => new TypeError(`Parser error: ${why}`);
const stringifyJSON = JSON.stringify;
const lowerCase = uncurry(String.prototype.toLowerCase);

function forbidCharacters(name, what, forbidden) {
  for (const c of name) if (forbidden.includes(c)) throw parserError(`\`${c}\` character is forbidden in the ${what} name`);
}

// StartTag is a start tag under its handlers' hands. Attributes are [name, value, as written].
class StartTag {
  changes = new Changes();
  endChanges = undefined;
  onEnd = undefined;
  changed = false;
  renamed = false;
  dropsContent = false;
  hidden = false; // what is around it drops its content

  constructor(name, attributes, namespace, selfClosing, hasContent) {
    this.name = name;
    this.attributes = attributes;
    this.namespace = namespace;
    this.selfClosing = selfClosing;
    this.hasContent = hasContent;
  }

  get atEnd() { return this.endChanges !== undefined || this.onEnd !== undefined || this.renamed; }
  get end() { return (this.endChanges ??= new Changes()); }

  rename(name) {
    if (name === "") throw parserError("Tag name can't be empty.");
    if (!/^[a-z]/i.test(name)) throw parserError("The first character of the tag name should be an ASCII alphabetical character.");
    forbidCharacters(name, "tag", " \n\r\t\f/>");
    this.name = name;
    this.changed = this.renamed = true;
  }

  find(name) {
    const wanted = lowerCase(name);
    return this.attributes.find((a) => lowerCase(a[0]) === wanted);
  }

  setAttribute(given, value) {
    const name = lowerCase(given);
    if (name === "") throw parserError("Attribute name can't be empty.");
    forbidCharacters(name, "attribute", " \n\r\t\f/>=");
    const written = `${name}="${replaceText(value, '"', "&quot;")}"`;
    const found = this.find(name);
    if (found === undefined) {
      this.attributes.push([name, value, written]);
    } else {
      const raw = `${found[2].slice(0, name.length)}="${replaceText(value, '"', "&quot;")}"`;
      this.attributes = this.attributes.map((a) => (a === found ? [a[0], value, raw] : a));
    }
    this.changed = true;
  }

  removeAttribute(name) {
    const wanted = lowerCase(name);
    const left = this.attributes.filter((a) => lowerCase(a[0]) !== wanted);
    if (left.length === this.attributes.length) return;
    this.attributes = left;
    this.changed = true;
  }

  dropContent() {
    this.changes.after = [];
    if (this.endChanges !== undefined) this.endChanges.before = [];
    this.dropsContent = true;
  }

  remove() {
    this.changes.removed = true;
    if (!this.hasContent) return;
    this.dropContent();
    this.end.removed = true;
  }

  markup() {
    let text = `<${this.name}`;
    for (const a of this.attributes) text += ` ${a[2]}`;
    return text + (this.selfClosing ? " />" : ">");
  }
}

// contentOf reads what a handler inserts: text, or a stream of it.
function contentOf(given, content, options, method, on) {
  if (given === 0) throw badParameter(method, on, 1, "string or ReadableStream or Response");
  if (options !== undefined && options !== null && typeof options !== "object") throw badParameter(method, on, 2, "ContentOptions");
  const html = Boolean(options?.html);
  const stream = isReadableStream(content) ? content : bodyOf(content);
  if (stream === undefined) {
    const text = `${content}`;
    return { text: html ? text : escapeHTML(text), stream, html };
  }
  const inner = readableOf(stream);
  if (inner.locked || inner.disturbed) throw new TypeError(LOCKED_BODY);
  return { text: "", stream: inner, html };
}

const LOCKED_BODY = "The ReadableStream has been locked to a reader.";

// bodyOf is a Response's body; undefined for what is none, and for one without a body.
function bodyOf(value) {
  try {
    responseStatus(value);
    return responseBody(value) ?? undefined;
  } catch {
    return undefined;
  }
}

class ContentToken {
  #inner;

  constructor(secret, inner) {
    if (secret !== SECRET) throw illegal();
    this.#inner = inner;
  }

  static innerOf(token) {
    if (token.#inner === undefined) throw new TypeError(STALE);
    return token.#inner;
  }

  static expire(token) { token.#inner = undefined; }
}

const { innerOf: liveToken, expire: expireToken } = ContentToken;
delete ContentToken.innerOf;
delete ContentToken.expire;

class Element extends ContentToken {
  get tagName() { return lowerCase(liveToken(this).name); }
  set tagName(name) { liveToken(this).rename(`${name}`); }
  get attributes() {
    liveToken(this);
    return new AttributesIterator(SECRET, this);
  }
  get removed() {
    const tag = liveToken(this);
    return tag.hidden || tag.changes.removed;
  }
  get namespaceURI() { return htmlNamespaces[liveToken(this).namespace]; }

  getAttribute(name) {
    if (arguments.length === 0) throw badParameter("getAttribute", "Element", 1, "string");
    return liveToken(this).find(`${name}`)?.[1] ?? null;
  }

  hasAttribute(name) {
    if (arguments.length === 0) throw badParameter("hasAttribute", "Element", 1, "string");
    return liveToken(this).find(`${name}`) !== undefined;
  }

  setAttribute(name, value) {
    if (arguments.length < 1) throw badParameter("setAttribute", "Element", 1, "string");
    if (arguments.length < 2) throw badParameter("setAttribute", "Element", 2, "string");
    liveToken(this).setAttribute(`${name}`, `${value}`);
    return this;
  }

  removeAttribute(name) {
    if (arguments.length === 0) throw badParameter("removeAttribute", "Element", 1, "string");
    liveToken(this).removeAttribute(`${name}`);
    return this;
  }

  before(content, options = undefined) {
    const tag = liveToken(this);
    tag.changes.before.push(contentOf(arguments.length, content, options, "before", "Element"));
    return this;
  }

  after(content, options = undefined) {
    const tag = liveToken(this);
    const inserted = contentOf(arguments.length, content, options, "after", "Element");
    const changes = tag.hasContent ? tag.end : tag.changes;
    changes.after = prepended(changes.after, inserted);
    return this;
  }

  prepend(content, options = undefined) {
    const tag = liveToken(this);
    const inserted = contentOf(arguments.length, content, options, "prepend", "Element");
    if (tag.hasContent) tag.changes.after = prepended(tag.changes.after, inserted);
    return this;
  }

  append(content, options = undefined) {
    const tag = liveToken(this);
    const inserted = contentOf(arguments.length, content, options, "append", "Element");
    if (tag.hasContent) tag.end.before.push(inserted);
    return this;
  }

  replace(content, options = undefined) {
    const tag = liveToken(this);
    const inserted = contentOf(arguments.length, content, options, "replace", "Element");
    tag.remove();
    tag.changes.replace(inserted);
    return this;
  }

  setInnerContent(content, options = undefined) {
    const tag = liveToken(this);
    const inserted = contentOf(arguments.length, content, options, "setInnerContent", "Element");
    if (!tag.hasContent) return this;
    tag.dropContent();
    tag.changes.after = [inserted];
    return this;
  }

  remove() {
    liveToken(this).remove();
    return this;
  }

  removeAndKeepContent() {
    const tag = liveToken(this);
    tag.changes.removed = true;
    if (tag.hasContent) tag.end.removed = true;
    return this;
  }

  onEndTag(handler) {
    const tag = liveToken(this);
    if (typeof handler !== "function") throw badParameter("onEndTag", "Element", 1, "function");
    if (!tag.hasContent) throw parserError("No end tag.");
    tag.onEnd = handler;
  }
}

class AttributesIterator {
  #element;
  #next = 0;

  constructor(secret, element) {
    if (secret !== SECRET) throw illegal();
    this.#element = element;
  }

  next() {
    const attribute = liveToken(this.#element).attributes[this.#next++];
    return attribute === undefined ? { done: true, value: undefined } : { done: false, value: [attribute[0], attribute[1]] };
  }

  [Symbol.iterator]() { return this; }
}

// What Comment, Text and EndTag can do alike.
function insertBefore(token, given, content, options, on) {
  const { changes } = liveToken(token);
  changes.before.push(contentOf(given, content, options, "before", on));
  return token;
}

function insertAfter(token, given, content, options, on) {
  const { changes } = liveToken(token);
  changes.after = prepended(changes.after, contentOf(given, content, options, "after", on));
  return token;
}

function replaceToken(token, given, content, options, on) {
  liveToken(token).changes.replace(contentOf(given, content, options, "replace", on));
  return token;
}

function removeToken(token) {
  liveToken(token).changes.removed = true;
  return token;
}

class Comment extends ContentToken {
  get text() { return liveToken(this).text; }
  set text(value) {
    const comment = liveToken(this);
    const text = `${value}`;
    if (text.includes("-->")) throw parserError("Comment text shouldn't contain comment closing sequence (`-->`).");
    comment.text = text;
    comment.changed = true;
  }
  get removed() { return liveToken(this).changes.removed; }
  before(content, options = undefined) { return insertBefore(this, arguments.length, content, options, "Comment"); }
  after(content, options = undefined) { return insertAfter(this, arguments.length, content, options, "Comment"); }
  replace(content, options = undefined) { return replaceToken(this, arguments.length, content, options, "Comment"); }
  remove() { return removeToken(this); }
}

class Text extends ContentToken {
  get text() { return liveToken(this).text; }
  get lastInTextNode() { return liveToken(this).last; }
  get removed() { return liveToken(this).changes.removed; }
  before(content, options = undefined) { return insertBefore(this, arguments.length, content, options, "Text"); }
  after(content, options = undefined) { return insertAfter(this, arguments.length, content, options, "Text"); }
  replace(content, options = undefined) { return replaceToken(this, arguments.length, content, options, "Text"); }
  remove() { return removeToken(this); }
}

class EndTag extends ContentToken {
  get name() { return lowerCase(liveToken(this).name); }
  set name(value) {
    const tag = liveToken(this);
    tag.name = `${value}`;
    tag.changed = true;
  }
  before(content, options = undefined) { return insertBefore(this, arguments.length, content, options, "EndTag"); }
  after(content, options = undefined) { return insertAfter(this, arguments.length, content, options, "EndTag"); }
  remove() { return removeToken(this); }
}

class Doctype extends ContentToken {
  get name() { return liveToken(this).name; }
  get publicId() { return liveToken(this).publicId; }
  get systemId() { return liveToken(this).systemId; }
}

class DocumentEnd extends ContentToken {
  append(content, options = undefined) {
    liveToken(this).ending.push(contentOf(arguments.length, content, options, "append", "DocumentEnd"));
    return this;
  }
}

for (const cls of [Element, AttributesIterator, Comment, Text, EndTag, Doctype, DocumentEnd]) interfaceOf(cls);

const WANTS_ELEMENTS = 1, WANTS_COMMENTS = 2, WANTS_TEXT = 4, WANTS_DOCTYPE = 8;

function handlersOf(handlers, kinds, type) {
  const taken = { __proto__: null, handlers };
  for (const kind of kinds) {
    const handler = handlers?.[kind];
    if (handler !== undefined && typeof handler !== "function") {
      throw new TypeError(`Incorrect type for the '${kind}' field on '${type}': the provided value is not of type 'function'.`);
    }
    taken[kind] = handler;
  }
  return taken;
}

const wantsOf = ({ element, comments, text, doctype }) =>
  (element && WANTS_ELEMENTS) | (comments && WANTS_COMMENTS) | (text && WANTS_TEXT) | (doctype && WANTS_DOCTYPE);

const charsetParameter = /;\s*charset\s*=\s*"?([^\s;"]+)/i;
const responseStatus = getterOf(Response.prototype, "status");
const responseHeaders = getterOf(Response.prototype, "headers");
const [headerOf, deleteHeader] = [uncurry(Headers.prototype.get), uncurry(Headers.prototype.delete)];
const ResponseCtor = Response;

function charsetOfResponse(response) {
  const said = execFailure(charsetParameter, headerOf(responseHeaders(response), "content-type") ?? "");
  return said === null || lowerCase(said[1]) === "utf-8" ? "" : said[1];
}

class HTMLRewriter {
  #registrations = [];
  #documents = [];

  on(selector, handlers) {
    if (arguments.length === 0) throw badParameter("on", "HTMLRewriter", 1, "string");
    if (arguments.length === 1 || isPrimitive(handlers)) throw badParameter("on", "HTMLRewriter", 2, "ElementContentHandlers");
    const text = `${selector}`;
    const taken = handlersOf(handlers, ["comments", "element", "text"], "ElementContentHandlers");
    service(HTML, CHECK_SELECTOR, 0, text);
    this.#registrations.push({ __proto__: null, ...taken, selector: text });
    return this;
  }

  onDocument(handlers) {
    if (arguments.length === 0 || isPrimitive(handlers)) throw badParameter("onDocument", "HTMLRewriter", 1, "DocumentContentHandlers");
    this.#documents.push(handlersOf(handlers, ["comments", "doctype", "end", "text"], "DocumentContentHandlers"));
    return this;
  }

  transform(response) {
    const body = responseBodyOf(response);
    if (body === null) return response;
    const source = readableOf(body);
    if (source.locked || source.disturbed) throw new TypeError(LOCKED_BODY);
    insideHandler();
    const registrations = [...this.#registrations], documents = [...this.#documents];
    const spec = {
      __proto__: null,
      Charset: charsetOfResponse(response),
      Document: documents.reduce((all, handlers) => all | wantsOf(handlers), 0),
      Selectors: registrations.map((r) => ({ __proto__: null, Selector: r.selector, Wants: Number(wantsOf(r)) })),
    };
    const rewriting = new Rewriting(stringifyJSON(spec), spec.Charset, { registrations, documents }, source);
    const rewritten = new ResponseCtor(rewriting.readable.public, response);
    deleteHeader(responseHeaders(rewritten), "content-length");
    return rewritten;
  }
}

const isPrimitive = (value) => value !== undefined && value !== null && typeof value !== "object" && typeof value !== "function";

function responseBodyOf(response) {
  try {
    responseStatus(response); // a Request has a body, too
    return responseBody(response);
  } catch {
    throw badParameter("transform", "HTMLRewriter", 1, "Response");
  }
}

publish(HTMLRewriter);
