// The built-in modules `cloudflare:workers` and `cloudflare:sockets`.

class WorkerEntrypoint {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
  }
}

// A class that extends one of these can be defined. Methods of a WorkerEntrypoint are called from outside (84-rpc.js), those of the others by nobody.
class RpcTarget {}
class DurableObject extends WorkerEntrypoint {}
class WorkflowEntrypoint extends WorkerEntrypoint {}

function waitUntil(promise) {
  need(arguments.length, 1, "waitUntil");
  insideHandler();
  sw.hold(promiseResolve(promise));
}

function connect() {
  insideHandler();
  throw new Error("connect: there are no TCP sockets here; use fetch().");
}

hooks.builtinModules = {
  "cloudflare:workers": { env: workersEnv, waitUntil, WorkerEntrypoint, RpcTarget, DurableObject, WorkflowEntrypoint },
  "cloudflare:sockets": { connect },
};
