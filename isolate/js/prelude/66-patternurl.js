// What the URL Pattern standard takes from URLs: each component in its canonical form, an init filled up from its base
// URL, and a pattern of a whole URL split into components.

const PatternURL = URL;
const specialPorts = { __proto__: null, http: "80", https: "443", ws: "80", wss: "443", ftp: "" };
const specialSchemes = ["http", "https", "ws", "wss", "ftp"];
const isSpecial = (protocol) => specialPorts[protocol] !== undefined;

const COMPONENTS = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];
const noValue = (component, value) => new TypeError(`URLPattern: "${value}" is no ${component}.`);

function patternURL(text, base) {
  try {
    return new PatternURL(text, base);
  } catch {
    return null;
  }
}

// setOn sets a component of a URL. A setter that refuses changes nothing: seen by its doing so for two URLs.
function setOn(component, value, ...urls) {
  let result;
  for (const text of urls) {
    const url = new PatternURL(text), before = url[component];
    url[component] = value;
    result = url[component];
    if (result !== before) return result;
  }
  throw noValue(component, value);
}

const DUMMY = "https://dummy.invalid/";
const unlessEmpty = (canonical) => (value, ...more) => value === "" ? "" : canonical(value, ...more);

const canonicalProtocol = unlessEmpty((value) => {
  const url = patternURL(`${value}://dummy.invalid/`);
  if (url === null) throw noValue("protocol", value);
  return url.protocol.slice(0, -1);
});

const canonicalUsername = unlessEmpty((value) => setOn("username", value, DUMMY));
const canonicalPassword = unlessEmpty((value) => setOn("password", value, DUMMY));
const canonicalDomain = unlessEmpty((value) => setOn("hostname", value, DUMMY, "https://other.invalid/"));
const canonicalHostname = unlessEmpty((value) => setOn("hostname", value, "dummy://dummy.invalid/", "dummy://other.invalid/"));

const ipv6Character = /^[0-9a-f[\]:]*$/i;
function canonicalIPv6(value) {
  if (execPattern(ipv6Character, value) === null) throw noValue("hostname", value);
  return value.toLowerCase();
}

const canonicalPort = unlessEmpty((value, protocol) => {
  if (specialPorts[protocol] === value) return "";
  const dummy = `${protocol || "dummy"}://dummy.invalid:`;
  return setOn("port", value, `${dummy}8/`, `${dummy}9/`);
});

// canonicalPathname keeps a path relative that is: "/-" makes it absolute for the parser, which would else do so.
const canonicalPathname = unlessEmpty((value) => {
  const url = new PatternURL(DUMMY), absolute = value[0] === "/";
  url.pathname = absolute ? value : `/-${value}`;
  return absolute ? url.pathname : url.pathname.slice(2);
});

const canonicalOpaque = unlessEmpty((value) => {
  const url = patternURL(`data:-${value}`);
  if (url === null) throw noValue("pathname", value);
  return url.pathname.slice(1);
});

function setMarked(component, mark, value) {
  const url = new PatternURL(DUMMY);
  url[component] = mark + value;
  return url[component].slice(1);
}

const canonicalSearch = (value) => setMarked("search", "?", value);
const canonicalHash = (value) => setMarked("hash", "#", value);

// Each component of an init in canonical form, the protocol being known.
const canonicalOf = {
  __proto__: null,
  protocol: canonicalProtocol,
  username: canonicalUsername,
  password: canonicalPassword,
  hostname: (value, protocol) => protocol === "" || isSpecial(protocol) ? canonicalDomain(value) : canonicalHostname(value),
  port: canonicalPort,
  pathname: (value, protocol) => protocol === "" || isSpecial(protocol) ? canonicalPathname(value) : canonicalOpaque(value),
  search: canonicalSearch,
  hash: canonicalHash,
};

const strip = { __proto__: null, protocol: [/:$/, ""], search: [/^\?/, ""], hash: [/^#/, ""] };
const stripped = (component, value) => strip[component] === undefined ? value : value.replace(...strip[component]);

// partOfURL is a component of a URL without what marks it.
const partOfURL = (url, component) => stripped(component, url[component]);

// What an init must not have for a component to be inherited: that, or anything before it. The user of a pattern is not.
const inherited = {
  __proto__: null,
  protocol: [],
  username: ["hostname", "port"],
  password: ["hostname", "port", "username"],
  hostname: [],
  port: ["hostname"],
  pathname: ["hostname", "port"],
  search: ["hostname", "port", "pathname"],
  hash: ["hostname", "port", "pathname", "search"],
};

function inherits(init, component, isPattern) {
  if (isPattern && (component === "username" || component === "password")) return false;
  return [component, "protocol", ...inherited[component]].every((name) => init[name] === undefined);
}

// processInit is "process a URLPatternInit": of a pattern, or of a URL whose components start as given.
function processInit(init, isPattern, result) {
  const base = init.baseURL === undefined ? null : patternURL(init.baseURL);
  if (base === null && init.baseURL !== undefined) throw noValue("base URL", init.baseURL);
  const ofBase = (component) => isPattern ? escapePattern(partOfURL(base, component)) : partOfURL(base, component);
  for (const component of COMPONENTS) {
    if (base !== null && inherits(init, component, isPattern)) result[component] = ofBase(component);
  }
  for (const component of COMPONENTS) {
    let value = init[component];
    if (value === undefined) continue;
    value = stripped(component, value);
    if (component === "pathname" && base !== null) value = fromBase(value, base, ofBase, isPattern);
    result[component] = isPattern ? value : canonicalOf[component](value, result.protocol ?? "");
  }
  return result;
}

// fromBase makes a relative path absolute.
function fromBase(pathname, base, ofBase, isPattern) {
  if (isAbsolutePath(pathname, isPattern) || isOpaque(base)) return pathname;
  const path = ofBase("pathname");
  return path.slice(0, path.lastIndexOf("/") + 1) + pathname;
}

const isOpaque = (url) => url.pathname[0] !== "/" && url.host === "" && !isSpecial(url.protocol.slice(0, -1));

const isAbsolutePath = (path, isPattern) =>
  path[0] === "/" || (isPattern && (path.startsWith("\\/") || path.startsWith("{/")));

const LITERAL = { __proto__: null, char: true, escaped: true, invalid: true };
const AFTER_QUESTION = { __proto__: null, name: true, regexp: true, close: true, asterisk: true };
const order = (state) => COMPONENTS.indexOf(state);

// PatternSplitter is the standard's constructor string parser. Its states are the components, and "init", "authority"
// and "done".
class PatternSplitter {
  constructor(text) {
    this.points = codePoints(text);
    this.tokens = patternTokens(this.points, true);
    this.result = create(null);
    this.state = "init";
    this.at = 0; // the token
    this.step = 1; // to the next token
    this.start = 0; // the component's first token
    this.groups = 0;
    this.brackets = 0;
    this.special = false;
  }

  split() {
    for (; this.at < this.tokens.length && this.state !== "done"; this.at += this.step) {
      this.step = 1;
      const { type } = this.tokens[this.at];
      if (type === "end") this.end();
      else if (type === "open") this.groups++;
      else if (this.groups === 0) this[this.state]();
      else if (type === "close" && --this.groups === 0) this[this.state]();
    }
    if (this.result.hostname !== undefined && this.result.port === undefined) this.result.port = "";
    return this.result;
  }

  end() {
    if (this.state === "init") {
      this.rewind("init");
      if (this.is("#")) this.change("hash", 1);
      else if (this.isSearch()) this.change("search", 1);
      else this.change("pathname", 0);
    } else if (this.state === "authority") {
      this.rewind("hostname");
    } else {
      this.change("done", 0);
    }
  }

  // is says whether a token is that character and has no other meaning.
  is(value, at = this.at) {
    const token = this.tokens[at] ?? this.tokens[this.tokens.length - 1];
    return token.value === value && LITERAL[token.type] === true;
  }

  // isSearch tells "?" from the modifier.
  isSearch() {
    if (this.is("?")) return true;
    return this.tokens[this.at].value === "?" && (this.at === 0 || AFTER_QUESTION[this.tokens[this.at - 1].type] !== true);
  }

  rewind(state) {
    this.at = this.start;
    this.step = 0;
    this.state = state;
  }

  text() {
    const end = this.tokens[this.at].index;
    return this.points.slice(this.tokens[this.start].index, end).join("");
  }

  change(state, skip) {
    const before = this.state;
    if (before !== "init" && before !== "authority" && before !== "done") this.result[before] = this.text();
    if (before !== "init" && state !== "done") this.fill(before, state);
    this.state = state;
    this.at += skip;
    this.start = this.at;
    this.step = 0;
  }

  // fill makes empty what a pattern leaves out between two components.
  fill(before, state) {
    const passed = (component) => order(before) < order(component) && order(state) > order(component) && this.result[component] === undefined;
    if (passed("hostname")) this.result.hostname = "";
    if (passed("pathname")) this.result.pathname = this.special ? "/" : "";
    if (passed("search")) this.result.search = "";
  }

  // go changes to the first component whose mark is here. The path's mark is part of it.
  go(...states) {
    for (const state of states) {
      const here = state === "search" ? this.isSearch() : this.is(state === "pathname" ? "/" : state === "hash" ? "#" : ":");
      if (here) return this.change(state, state === "pathname" ? 0 : 1);
    }
  }

  init() { if (this.is(":")) this.rewind("protocol"); }

  protocol() {
    if (!this.is(":")) return;
    this.special = new PatternComponent(this.text(), canonicalProtocol, plainOptions).matchesSpecialScheme();
    if (this.is("/", this.at + 1) && this.is("/", this.at + 2)) this.change("authority", 3);
    else this.change(this.special ? "authority" : "pathname", 1);
  }

  authority() {
    if (this.is("@")) this.rewind("username");
    else if (this.is("/") || this.isSearch() || this.is("#")) this.rewind("hostname");
  }

  username() {
    if (this.is(":")) this.change("password", 1);
    else this.password();
  }

  password() { if (this.is("@")) this.change("hostname", 1); }

  hostname() {
    if (this.is("[")) this.brackets++;
    else if (this.is("]")) this.brackets--;
    else if (this.brackets === 0) this.go("port", "pathname", "search", "hash");
    else this.go("pathname", "search", "hash");
  }

  port() { this.go("pathname", "search", "hash"); }
  pathname() { this.go("search", "hash"); }
  search() { this.go("hash"); }
  hash() {}
}
