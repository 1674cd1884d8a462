// env: what a version was given at upload, and nothing else. Bindings are the only capabilities.

class Fetcher {
  #binding;
  #name;
  #options;

  constructor(secret, binding, name, options) {
    if (secret !== SECRET) throw illegal();
    this.#binding = binding;
    this.#name = name;
    this.#options = options;
  }

  fetch(input, init = undefined) {
    return startFetch(this.#binding, input, init, this.#name, this.#options);
  }
}

class DispatchNamespace {
  #binding;

  constructor(secret, binding) {
    if (secret !== SECRET) throw illegal();
    this.#binding = binding;
  }

  // get returns at once: whether the script exists shows at the first fetch.
  get(name, args = undefined, options = undefined) {
    need(arguments.length, 1, "get");
    if (typeof name !== "string") throw new TypeError("get: the script's name is not a string");
    return new Fetcher(SECRET, this.#binding, name, dispatchOptions(args, options));
  }
}

// dispatchOptions is the JSON that travels with every fetch of the stub, undefined for none.
function dispatchOptions(args, options) {
  if (args === undefined && options === undefined) return undefined;
  const { limits, outbound } = dictionary(options, "options");
  dictionary(args, "args");
  const wanted = {};
  if (args !== undefined && args !== null) wanted.args = args;
  if (limits !== undefined && limits !== null) wanted.limits = dispatchLimits(limits);
  if (outbound !== undefined && outbound !== null) wanted.outbound = dictionary(outbound, "options.outbound");
  return ownKeys(wanted).length === 0 ? undefined : JSON.stringify(wanted);
}

function dispatchLimits(limits) {
  const { cpuMs, subRequests } = dictionary(limits, "options.limits");
  const wanted = {};
  if (cpuMs !== undefined) wanted.cpuMs = limitOf(cpuMs, "options.limits.cpuMs");
  if (subRequests !== undefined) wanted.subRequests = limitOf(subRequests, "options.limits.subRequests");
  return wanted;
}

function limitOf(value, what) {
  if (typeof value !== "number" || !(value >= 0) || value > DELAY_MAX) throw new TypeError(`${what} is not a number from 0 to ${DELAY_MAX}`);
  return Math.trunc(value);
}

interfaceOf(Fetcher);
interfaceOf(DispatchNamespace);

const bindingMakers = {
  __proto__: null,
  plain_text: ({ text }) => text,
  secret_text: ({ text }) => text,
  json: ({ json }) => json,
  service: ({ index }) => new Fetcher(SECRET, index),
  dispatch_namespace: ({ index }) => new DispatchNamespace(SECRET, index),
};

// workersEnv is what `cloudflare:workers` exports: one object for the life of the isolate, since
// modules keep it.
const workersEnv = {};

hooks.setEnv = (json) => {
  const env = {};
  for (const binding of JSON.parse(json)) {
    const make = bindingMakers[binding.type];
    if (make === undefined) throw new TypeError(`env: binding ${quoted(binding.name)} is of the unknown type ${quoted(binding.type)}`);
    defineProperty(env, binding.name, { value: make(binding), writable: true, enumerable: true, configurable: true });
  }
  for (const name of ownKeys(workersEnv)) delete workersEnv[name];
  Object.assign(workersEnv, env);
  return env;
};

// layEnv lays one call's parameters over env, which it leaves alone.
hooks.layEnv = (env, params) => (params === "" || params === undefined ? env : { ...env, ...JSON.parse(params) });
