// Calls of methods: what a Fetcher does with a name that it does not have, what an entry point does with a call, and
// what a tail handler is given. A call is a request of its own kind, whose body is the packed arguments.

const RPC_URL = "http://rpc/";
const RpcRequest = Request;
const RpcResponse = Response;
const bodyBytes = uncurry(Request.prototype.bytes);
const bodyText = uncurry(Request.prototype.text);
const answerBytes = uncurry(Response.prototype.bytes);

// ---- the caller: env.SERVICE.method(a, b), and await env.SERVICE.property

// callRemote sends a call; args is null for a property.
function callRemote(fetcher, name, args) {
  insideHandler();
  const request = new RpcRequest(RPC_URL + encodeURIComponent(name), {
    __proto__: null, method: "POST", redirect: "manual", body: new Packer().pack({ __proto__: null, name, args }),
  });
  return then(sw.rpc(fetcher, request), (response) => then(answerBytes(response), (bytes) => new Unpacker(bytes).unpack()));
}

function remoteMethod(fetcher, name) {
  const call = (...args) => {
    try {
      return callRemote(fetcher, name, args);
    } catch (error) {
      return rejected(error);
    }
  };
  const property = (ok, fail) => then(promiseCall(callRemote, undefined, fetcher, name, null), ok, fail);
  hidden(call, "then", property);
  hidden(call, "catch", (fail) => property(undefined, fail));
  return call;
}

// The names that a Fetcher does not have itself are the last on its prototypes' way, so that fetch() costs nothing more.
// then is none of them: a Fetcher may be awaited.
const ownNames = Object.prototype;
setPrototypeOf(getPrototypeOf(sw.fetcher(0)), new Proxy(create(ownNames), {
  __proto__: null,
  get(target, name, receiver) {
    if (typeof name !== "string" || name === "then" || name in target) return Reflect.get(target, name, receiver);
    return remoteMethod(receiver, name);
  },
  has: (target, name) => typeof name === "string" || name in target,
}));

// ---- the exception that another Worker threw

const domNames = new Set([
  "IndexSizeError", "HierarchyRequestError", "WrongDocumentError", "InvalidCharacterError", "NoModificationAllowedError", "NotFoundError",
  "NotSupportedError", "InUseAttributeError", "InvalidStateError", "InvalidModificationError", "NamespaceError", "InvalidAccessError",
  "TypeMismatchError", "SecurityError", "NetworkError", "AbortError", "URLMismatchError", "QuotaExceededError", "TimeoutError",
  "InvalidNodeTypeError", "DataCloneError", "EncodingError", "NotReadableError", "UnknownError", "ConstraintError", "DataError",
  "OperationError", "NotAllowedError",
]);
const thrownText = /^([A-Z][A-Za-z]*Error|Error): ([^]*)$/;
const { AggregateError: AggregateErrorCtor } = globalThis;

// remoteError makes it of its text: the classes of the language and DOMException stay what they are, all others are an Error.
hooks.remoteError = (text) => {
  const [, name, message] = execFailure(thrownText, text) ?? [undefined, "Error", text];
  const Native = errorConstructors.get(name);
  const error = Native !== undefined ? new Native(message)
    : name === "AggregateError" ? new AggregateErrorCtor([], message)
      : domNames.has(name) ? new DOMException(message, name) : new Error(text);
  defineProperty(error, "remote", { value: true, writable: true, enumerable: true, configurable: true });
  return error;
};

// ---- the entry point

const lacks = (name) => new TypeError(`The RPC receiver does not implement the method "${name}".`);
const reservedMethods = new Set(["constructor", "fetch", "tail", "connect", "scheduled", "queue", "alarm", "test", "email", "trace", "dup"]);

const PLAIN_CALL = "with the wrong number of arguments. When calling a top-level handler function that is not declared as part of a class, " +
  "you must always send exactly one argument. In order to support variable numbers of arguments, the server must use class-based syntax " +
  "(extending WorkerEntrypoint) instead.";

// isEntrypointClass: the shim's own test, a constructor, holds for every plain function as well.
const isClass = (target) => typeof target === "function" && target.prototype !== undefined;

// callMethod does what a call asks for. Only what the class declares can be called, never what an instance happens to have.
function callMethod(target, { name, args }, env, ctx) {
  if (reservedMethods.has(name)) throw lacks(name);
  if (isClass(target)) return callDeclared(new target(ctx, env), name, args);
  const method = typeof target === "object" && target !== null && hasOwn(target, name) ? target[name] : undefined;
  if (typeof method !== "function") throw lacks(name);
  if (args?.length !== 1) throw new TypeError(`Attempted to call RPC function "${name}" ${PLAIN_CALL}`);
  return apply(method, target, [args[0], env, ctx]);
}

function callDeclared(instance, name, args) {
  if (hasOwn(instance, name) || name in ownNames || !(name in instance)) throw lacks(name);
  const member = instance[name];
  if (args === null) return member;
  if (typeof member !== "function") throw lacks(name);
  return apply(member, instance, args);
}

const KIND_RPC = 1;

// callEvent runs an event that is no fetch: RPC or tail. The shim calls it.
hooks.callEvent = async (kind, target, request, env, ctx) => {
  if (kind === KIND_RPC) {
    const call = new Unpacker(await bodyBytes(request)).unpack();
    return new RpcResponse(new Packer().pack(await callMethod(target, call, env, ctx)));
  }
  const handler = isClass(target) ? new target(ctx, env) : target;
  const tail = handler?.tail;
  if (typeof tail !== "function") throw new Error("Handler does not export a tail() function.");
  await apply(tail, handler, [tailEvents(await bodyText(request)), env, ctx]);
  return new RpcResponse(null);
};

// tailEvents are trace items; of requests there is nothing but what is redacted already.
function tailEvents(text) {
  const items = fromJSON(text);
  for (const { event } of items) {
    const request = event?.request;
    if (request !== undefined) hidden(request, "getUnredacted", () => request);
  }
  return items;
}
