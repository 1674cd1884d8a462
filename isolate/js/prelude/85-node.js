// What Node's modules (../node) stand on, and Node's globals. A Worker without a compatibility flag
// for Node sees nothing of it.

const customInspect = Symbol.for("nodejs.util.inspect.custom");

// NodeInspector is util.inspect's: unlike console, it calls an object's own inspect method.
class NodeInspector extends Inspector {
  constructor(options, inspectValue) {
    super(options.depth === null ? Infinity : options.depth);
    this.options = options;
    this.inspect = inspectValue;
  }

  object(value, level) {
    const custom = value[customInspect];
    if (typeof custom !== "function" || this.options.customInspect === false) return super.object(value, level);
    const shown = apply(custom, value, [this.depth - level, this.options, this.inspect]);
    return typeof shown === "string" ? shown : this.text(shown, level);
  }
}

const requiredModules = new Map();

// requireNode returns the default export of a module of Node's at once.
function requireNode(name) {
  if (!requiredModules.has(name)) requiredModules.set(name, sw.require(name));
  return requiredModules.get(name);
}

// lazyGlobal defines a global that loads its module when it is first looked at.
function lazyGlobal(name, get) {
  defineProperty(globalThis, name, {
    get() {
      const value = get();
      hidden(globalThis, name, value);
      return value;
    },
    set(value) { hidden(globalThis, name, value); },
    enumerable: false,
    configurable: true,
  });
}

hooks.nodeGlobals = (loadBuffer, loadProcess) => {
  hidden(globalThis, "global", globalThis);
  lazyGlobal("Buffer", () => requireNode("node:buffer").Buffer);
  lazyGlobal("process", () => requireNode("node:process"));
  lazyGlobal("setImmediate", () => requireNode("node:timers").setImmediate);
  lazyGlobal("clearImmediate", () => requireNode("node:timers").clearImmediate);
  if (loadBuffer) globalThis.Buffer;
  if (loadProcess) globalThis.process;
};

hooks.builtinModules["node-internal:runtime"] = {
  NodeInspector, format, requireNode, reportException, workersEnv, isException,
  brands: { isMap, isSet, isDate, isRegExp, isError, isPromise, isBuffer, isView, typedTag },
  service, serviceText, serviceAsync, newObject, freeObject, moduleScope: () => sw.moduleScope(), insideHandler, inNextJob,
  random: (bytes) => sw.random(bytes), WEBCRYPTO, host, COMPRESSION,
  request: () => sw.request(), frame: () => sw.frame(), setFrame: (frame) => sw.setFrame(frame),
};
