import { stories } from "./engine.mjs";

stories([
  ["a signal that has aborted rejects before the host hears of it", `
    const reason = new Error("mine");
    try { await fetch("http://a/", { signal: AbortSignal.abort(reason) }); } catch (error) { return [error === reason, mock.calls]; }
  `, [true, []]],
  ["an abort under way rejects with its reason and stops the operation", `
    mock.onFetch = () => mock.later(new Response("late"));
    const controller = new AbortController();
    const pending = fetch("http://a/", { signal: controller.signal });
    controller.abort();
    let name; try { await pending; } catch (error) { name = error.name; }
    return [name, mock.calls.map((call) => call[0]), mock.ops.size];
  `, ["AbortError", ["fetch", "stop"], 0]],
  ["an abort after the response is too late", `
    const controller = new AbortController();
    const response = await fetch("http://a/", { signal: controller.signal });
    controller.abort();
    return [await response.text(), mock.calls.length];
  `, ["ok", 1]],
  ["an abort ends a response that is still coming in", `
    mock.bodies.set(3, ["ab", "cd"]);
    mock.onFetch = () => Promise.resolve(new Response(3));
    const controller = new AbortController();
    const { body } = await fetch("http://a/", { signal: controller.signal });
    const reader = body.getReader();
    await reader.read();
    controller.abort(new Error("enough"));
    return [await reader.read().catch(String), mock.calls.map((call) => call[0])];
  `, ["Error: enough", ["fetch", "read", "cancel"]]],
  ["an abort leaves alone what was read or passed on", `
    mock.bodies.set(3, []);
    mock.onFetch = () => Promise.resolve(new Response(3));
    const controller = new AbortController();
    const read = await fetch("http://a/", { signal: controller.signal });
    await sw.hooks.consume(read.body);
    const passed = await fetch("http://a/", { signal: controller.signal });
    const handle = sw.hooks.handleOf(passed.body);
    sw.hooks.release(passed.body);
    controller.abort();
    return [handle, mock.calls.map((call) => call[0])];
  `, [3, ["fetch", "read", "fetch"]]],
  ["what I/O at module scope throws", `mock.module = true; return (await fetch("http://a/").catch(String)).slice(0, 52);`,
    "Error: Disallowed operation called within global sco"],
  ["AbortSignal.timeout and any", `
    const signal = AbortSignal.any([new AbortController().signal, AbortSignal.timeout(10)]);
    const seen = [];
    signal.onabort = (event) => seen.push(event.type, event.isTrusted);
    await mock.advance(10);
    return [signal.aborted, signal.reason.name, seen];
  `, [true, "TimeoutError", ["abort", true]]],
  ["service-worker syntax answers by respondWith", `
    addEventListener("fetch", (event) => { event.waitUntil(1); event.respondWith(new Response(event.request.url)); });
    addEventListener("fetch", () => { throw new Error("not reached"); });
    const response = await sw.hooks.dispatchFetch(new Request("http://a/"));
    return [await response.text(), mock.calls, sw.hooks.hasListener("fetch"), sw.hooks.hasListener("scheduled")];
  `, ["http://a/", [["hold"]], true, false]],
  ["a Worker without a fetch listener does not handle it", `return sw.hooks.dispatchFetch(new Request("http://a/")) === undefined;`, true],
  ["the error of a listener fails the request", `
    addEventListener("fetch", () => { throw new RangeError("handler"); });
    return sw.hooks.dispatchFetch(new Request("http://a/")).catch(String);
  `, "RangeError: handler"],
  ["a listener that does not answer", `
    addEventListener("fetch", () => {});
    return sw.hooks.dispatchFetch(new Request("http://a/")).catch(String);
  `, "TypeError: The Worker's fetch listeners did not call event.respondWith()."],
  ["respondWith in vain: twice, late", `
    const outcomes = [];
    let kept;
    addEventListener("fetch", (event) => {
      kept = event;
      event.respondWith(new Response("1"));
      try { event.respondWith(new Response("2")); } catch (error) { outcomes.push(error.name); }
    });
    await sw.hooks.dispatchFetch(new Request("http://a/"));
    addEventListener("other", () => {});
    try { kept.respondWith(new Response("3")); } catch (error) { outcomes.push(error.name); }
    return outcomes;
  `, ["InvalidStateError", "InvalidStateError"]],
  ["reportError goes to listeners of error, else to the log", `
    reportError(new Error("a"));
    const seen = [];
    addEventListener("error", (event) => { seen.push(event.message, event.error.message); event.preventDefault(); });
    reportError(new Error("b"));
    return [mock.logs.map(([, text]) => text.split("\\n")[0]), seen, self === globalThis];
  `, [["Uncaught Error: a"], ["Uncaught Error: b", "b"], true]],
]);
