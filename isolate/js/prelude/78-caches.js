// caches: responses that the host keeps for the Worker. A call is a fetch from binding −2: the request's URL is the
// key, and what is put is its body, by handle when nobody has read it.

const CACHE_BINDING = -2;
const requestURL = getterOf(Request.prototype, "url");
const requestMethod = getterOf(Request.prototype, "method");
const requestHeaders = getterOf(Request.prototype, "headers");
const responseUsed = getterOf(Response.prototype, "bodyUsed");
const getHeader = uncurry(Headers.prototype.get);
const CacheRequest = Request;

// cacheKeyOf is the request that a key is: itself, or a GET of a URL.
function cacheKeyOf(key) {
  let request = key;
  try {
    requestURL(key);
  } catch {
    request = new CacheRequest(key);
  }
  if (!/^https?:/.test(requestURL(request))) throw new TypeError("Cache API keys must be fully-qualified, valid URLs of http or https.");
  return request;
}

const ignoresMethod = (options) => Boolean(dictionary(options, "options").ignoreMethod);
const cacheHit = (response) => getHeader(responseHeaders(response), "cf-cache-status") === "HIT";

function checkCacheable(request, response) {
  if (requestMethod(request) !== "GET") throw new TypeError("Cannot cache response to non-GET request.");
  if (responseStatus(response) === 206) throw new TypeError("Cannot cache response to a range request (206 Partial Content).");
  const vary = getHeader(responseHeaders(response), "vary") ?? "";
  if (/(?:^|,)\s*\*\s*(?:,|$)/.test(vary)) throw new TypeError("Cannot cache response with 'Vary: *' header.");
  if (responseUsed(response)) throw new TypeError("Cannot cache a response whose body has been read already.");
}

class Cache {
  #name;

  constructor(secret, name) {
    if (secret !== SECRET) throw illegal();
    this.#name = name;
  }

  // call asks the host and gives what then() makes of its answer.
  #call(request, call, make) {
    insideHandler();
    return then(sw.fetch(CACHE_BINDING, request, this.#name, JSON.stringify(call)), make);
  }

  match(key, options = undefined) {
    return promised(() => {
      need(arguments.length, 1, "match");
      const request = cacheKeyOf(key), any = ignoresMethod(options);
      if (!any && requestMethod(request) !== "GET") return RESOLVED;
      const asked = new CacheRequest(requestURL(request), { headers: requestHeaders(request) });
      return this.#call(asked, { __proto__: null, op: "match" }, (response) => cacheHit(response) ? response : undefined);
    });
  }

  put(key, response) {
    return promised(() => {
      need(arguments.length, 2, "put");
      const request = cacheKeyOf(key);
      checkCacheable(request, response);
      const kept = new CacheRequest(requestURL(request), {
        method: "PUT", headers: responseHeaders(response), body: responseBody(response),
      });
      return this.#call(kept, { __proto__: null, op: "put", status: responseStatus(response) }, noop);
    });
  }

  delete(key, options = undefined) {
    return promised(() => {
      need(arguments.length, 1, "delete");
      const request = cacheKeyOf(key), any = ignoresMethod(options);
      if (!any && requestMethod(request) !== "GET") return resolvedWith(false);
      return this.#call(new CacheRequest(requestURL(request)), { __proto__: null, op: "delete" }, cacheHit);
    });
  }
}

class CacheStorage {
  #default;

  constructor(secret) {
    if (secret !== SECRET) throw illegal();
    this.#default = new Cache(SECRET, "");
  }

  get default() { return this.#default; }

  open(name) {
    return promised(() => {
      need(arguments.length, 1, "open");
      const wanted = `${name}`.toWellFormed();
      if (wanted === "") throw new TypeError("A cache's name is not empty.");
      return resolvedWith(new Cache(SECRET, wanted));
    });
  }
}

publish(Cache, CacheStorage);
expose("caches", new CacheStorage(SECRET));
