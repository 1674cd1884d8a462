// The built-in module `cloudflare:workers`.

class WorkerEntrypoint {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
  }
}

function waitUntil(promise) {
  need(arguments.length, 1, "waitUntil");
  insideHandler();
  sw.hold(promiseResolve(promise));
}

hooks.builtinModules = { "cloudflare:workers": { env: workersEnv, waitUntil, WorkerEntrypoint } };
