// The kv_namespace binding. Keys, limits and times are checked by the host (engine/kvrules.go), which every write passes.

const kvText = uncurry(Response.prototype.text);
const kvJSON = uncurry(Response.prototype.json);
const kvBuffer = uncurry(Response.prototype.arrayBuffer);
const kvParse = JSON.parse;
const KvMap = Map;
const kvSet = uncurry(Map.prototype.set);
const KvResponse = Response;

const kvReaders = {
  __proto__: null,
  text: kvText,
  json: kvJSON,
  arrayBuffer: kvBuffer,
  stream: (response) => responseBody(response) ?? responseBody(new KvResponse("")),
};

// kvTypeOf reads the second argument of get: a type, or options that may have one.
function kvTypeOf(options) {
  const { type = "text", cacheTtl } = typeof options === "string" ? { type: options } : dictionary(options, "options");
  return { type: `${type}`, cacheTtl: kvNumber(cacheTtl) };
}

// kvNumber is a whole number of seconds or keys, as the host takes it.
function kvNumber(value) {
  if (value === undefined || value === null) return undefined;
  const number = Math.trunc(Number(value));
  return number >= Number.MIN_SAFE_INTEGER && number <= Number.MAX_SAFE_INTEGER ? number : 0;
}

function kvReaderOf(type) {
  const read = kvReaders[type];
  if (read === undefined) throw new TypeError('Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".');
  return read;
}

function kvKeyOf(key) {
  const text = `${key}`.toWellFormed();
  if (text === "") throw new TypeError("Key name cannot be empty.");
  if (text === "." || text === "..") throw new TypeError(`"${text}" is not allowed as a key name.`);
  return text;
}

function kvMetadata(response) {
  const text = getHeader(responseHeaders(response), "kv-metadata");
  return text === null ? null : kvParse(text);
}

// kvValueOf is a value as a body.
function kvValueOf(value) {
  if (typeof value === "string" || isBuffer(value) || isView(value)) return value;
  if (value instanceof ReadableStream) return value;
  if (typeof value === "number" || typeof value === "boolean" || value === null || value === undefined) return `${value}`;
  throw new TypeError("KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.");
}

class KvNamespace {
  #index;

  constructor(secret, index) {
    if (secret !== SECRET) throw illegal();
    this.#index = index;
  }

  #ask(key, call, body) {
    if (body === undefined) return askBinding(this.#index, key, ownMembers(call));
    return askBinding(this.#index, key, ownMembers(call), new BindingRequest(BINDING_URL, { method: "PUT", body }));
  }

  // #get reads one key; with() makes the result of the value, or of null, and the response.
  #get(key, options, make) {
    const { type, cacheTtl } = kvTypeOf(options), read = kvReaderOf(type);
    return then(this.#ask(kvKeyOf(key), { op: "get", cacheTtl }), (response) => {
      if (responseStatus(response) === 404) return make(null, null);
      const metadata = kvMetadata(response);
      return then(promiseResolve(read(response)), (value) => make(value, metadata));
    });
  }

  // #getMany reads several keys into a Map; make() makes its values.
  #getMany(keys, options, make) {
    const { type, cacheTtl } = kvTypeOf(options);
    if (type !== "text" && type !== "json") throw new Error(`KV GET_BULK failed: 400 "${type}" is not a valid type. Use "json" or "text"`);
    const names = keys.map(kvKeyOf);
    return then(this.#ask("", { op: "getmany", cacheTtl }, toJSON(names)), (response) => then(kvJSON(response), (found) => {
      const all = new KvMap();
      for (let i = 0; i < names.length; i++) {
        const [text, metadata] = found[i] ?? [null, null];
        kvSet(all, names[i], make(text === null || type === "text" ? text : kvParse(text), metadata));
      }
      return all;
    }));
  }

  get(key, options = undefined) {
    return promised(() => {
      need(arguments.length, 1, "get");
      return isArray(key) ? this.#getMany(key, options, (value) => value) : this.#get(key, options, (value) => value);
    });
  }

  getWithMetadata(key, options = undefined) {
    const make = (value, metadata) => ({ value, metadata, cacheStatus: null });
    return promised(() => {
      need(arguments.length, 1, "getWithMetadata");
      return isArray(key) ? this.#getMany(key, options, (value, metadata) => ({ value, metadata })) : this.#get(key, options, make);
    });
  }

  put(key, value, options = undefined) {
    return promised(() => {
      need(arguments.length, 2, "put");
      const { expiration, expirationTtl, metadata } = dictionary(options, "options");
      const call = { op: "put", expiration: kvNumber(expiration), expirationTtl: kvNumber(expirationTtl), metadata };
      return then(this.#ask(kvKeyOf(key), call, kvValueOf(value)), noop);
    });
  }

  delete(key) {
    return promised(() => {
      need(arguments.length, 1, "delete");
      return then(this.#ask(kvKeyOf(key), { op: "delete" }), noop);
    });
  }

  list(options = undefined) {
    return promised(() => {
      const { prefix, limit, cursor } = dictionary(options, "options");
      const text = (value) => (value === undefined || value === null ? "" : `${value}`.toWellFormed());
      return then(this.#ask("", { op: "list", prefix: text(prefix), limit: kvNumber(limit), cursor: text(cursor) }), kvJSON);
    });
  }
}

interfaceOf(KvNamespace);
bindingMakers.kv_namespace = ({ index }) => new KvNamespace(SECRET, index);
