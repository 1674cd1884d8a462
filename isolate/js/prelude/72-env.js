// env: what a version was given at upload, and nothing else. Bindings are the only capabilities.

const bindingMakers = {
  __proto__: null,
  plain_text: ({ text }) => text,
  secret_text: ({ text }) => text,
  json: ({ json }) => json,
  service: ({ index }) => sw.fetcher(index),
  assets: ({ index }) => sw.fetcher(index),
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
