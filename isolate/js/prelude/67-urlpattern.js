// URLPattern. It keeps nothing outside of its isolate and does no I/O, so that it may be made at module scope.

const plainOptions = { delimiter: "", prefix: "", ignoreCase: false };
const hostOptions = { delimiter: ".", prefix: "", ignoreCase: false };

const wellFormed = (value) => `${value}`.toWellFormed();

// patternInit reads a URLPatternInit, in the order of Web IDL.
function patternInit(value) {
  const given = dictionary(value, "URLPattern's input"), init = create(null);
  for (const name of ["baseURL", ...COMPONENTS.toSorted()]) {
    const member = given[name];
    if (member !== undefined) init[name] = wellFormed(member);
  }
  return init;
}

const isDictionary = (value) => value === undefined || value === null || typeof value === "object" || typeof value === "function";

function initOfString(text, baseURL) {
  const init = new PatternSplitter(text).split();
  if (baseURL !== undefined) init.baseURL = baseURL;
  else if (init.protocol === undefined) throw new TypeError("URLPattern: a pattern that is no whole URL needs a base URL.");
  return init;
}

// compilePattern makes the components of a pattern.
function compilePattern(given, ignoreCase) {
  const init = processInit(given, true, create(null));
  for (const component of COMPONENTS) init[component] ??= "*";
  if (isSpecial(init.protocol) && specialPorts[init.protocol] === init.port) init.port = "";
  const compile = (component, encode, options = plainOptions) => new PatternComponent(init[component], encode, options);
  const rest = { ...plainOptions, ignoreCase };
  const protocol = compile("protocol", canonicalProtocol), special = protocol.matchesSpecialScheme();
  return {
    __proto__: null,
    protocol,
    username: compile("username", canonicalUsername),
    password: compile("password", canonicalPassword),
    hostname: compile("hostname", hostEncoder(init, special), hostOptions),
    port: compile("port", (value) => canonicalPort(value)),
    pathname: special
      ? compile("pathname", canonicalPathname, { delimiter: "/", prefix: "/", ignoreCase })
      : compile("pathname", canonicalOpaque, rest),
    search: compile("search", canonicalSearch, rest),
    hash: compile("hash", canonicalHash, rest),
  };
}

const ipv6Pattern = /^(?:\[|[{\\]\[)/;

function hostEncoder({ hostname, protocol }, special) {
  if (execPattern(ipv6Pattern, hostname) !== null && hostname.length > 1) return canonicalIPv6;
  return special || protocol === "*" ? canonicalDomain : canonicalHostname;
}

// componentsOf are the components of what is matched; null: it is no URL.
function componentsOf(input, baseURL) {
  const components = create(null);
  if (typeof input !== "string") {
    if (baseURL !== undefined) throw new TypeError("URLPattern: a base URL is given beside an init.");
    for (const component of COMPONENTS) components[component] = "";
    try {
      return processInit(input, false, components);
    } catch {
      return null;
    }
  }
  const url = patternURL(input, baseURL);
  if (url === null) return null;
  for (const component of COMPONENTS) components[component] = partOfURL(url, component);
  return components;
}

class URLPattern {
  #components;

  constructor(input = {}, second = undefined, third = undefined) {
    const hasBase = arguments.length > 2 || !isDictionary(second);
    const baseURL = hasBase ? wellFormed(second) : undefined;
    const ignoreCase = Boolean(dictionary(hasBase ? third : second, "URLPattern's options").ignoreCase);
    const init = isDictionary(input) ? patternInit(input) : initOfString(wellFormed(input), baseURL);
    if (isDictionary(input) && hasBase) throw new TypeError("URLPattern: a base URL is given beside an init.");
    this.#components = compilePattern(init, ignoreCase);
  }

  get protocol() { return this.#components.protocol.pattern; }
  get username() { return this.#components.username.pattern; }
  get password() { return this.#components.password.pattern; }
  get hostname() { return this.#components.hostname.pattern; }
  get port() { return this.#components.port.pattern; }
  get pathname() { return this.#components.pathname.pattern; }
  get search() { return this.#components.search.pattern; }
  get hash() { return this.#components.hash.pattern; }
  get hasRegExpGroups() { return COMPONENTS.some((component) => this.#components[component].hasRegExp); }

  test(input = {}, baseURL = undefined) {
    const [given, base] = matchInputs(input, baseURL), components = componentsOf(given, base);
    return components !== null && COMPONENTS.every((name) => execPattern(this.#components[name].regExp, components[name]) !== null);
  }

  exec(input = {}, baseURL = undefined) {
    const [given, base] = matchInputs(input, baseURL), components = componentsOf(given, base);
    if (components === null) return null;
    const inputs = typeof given === "string" ? (base === undefined ? [given] : [given, base]) : [{ ...given }];
    const result = { inputs };
    for (const name of COMPONENTS) {
      result[name] = this.#components[name].match(components[name]);
      if (result[name] === null) return null;
    }
    return result;
  }
}

function matchInputs(input, baseURL) {
  return [isDictionary(input) ? patternInit(input) : wellFormed(input), baseURL === undefined ? undefined : wellFormed(baseURL)];
}

publish(URLPattern);
