// env: what a version was given at upload, and nothing else. Bindings are the only capabilities.

// dispatchOptions is the JSON that travels with every fetch of a stub, undefined for none.
hooks.dispatchOptions = (args, options) => {
  const { limits, outbound } = dictionary(options, "options");
  dictionary(args, "args");
  const wanted = {};
  if (args !== undefined && args !== null) wanted.args = args;
  if (limits !== undefined && limits !== null) wanted.limits = dispatchLimits(limits);
  if (outbound !== undefined && outbound !== null) wanted.outbound = dictionary(outbound, "options.outbound");
  return ownKeys(wanted).length === 0 ? undefined : JSON.stringify(wanted);
};

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

const bindingMakers = {
  __proto__: null,
  plain_text: ({ text }) => text,
  secret_text: ({ text }) => text,
  json: ({ json }) => json,
  service: ({ index }) => sw.fetcher(index),
  dispatch_namespace: ({ index }) => sw.dispatchNamespace(index),
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
