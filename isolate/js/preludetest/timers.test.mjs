import { stories } from "./engine.mjs";

stories([
  ["timers fire in order, with their arguments", `
    const seen = [];
    setTimeout((...args) => seen.push(args), 20, "b", 1); setTimeout(() => seen.push("a"), 10);
    await mock.advance(30);
    return seen;
  `, ["a", ["b", 1]]],
  ["a cleared timer does not fire; the host hears of it", `
    const seen = [];
    const id = setTimeout(() => seen.push("no"), 5);
    clearTimeout(id); clearTimeout(id); clearTimeout(999); clearTimeout(undefined);
    await mock.advance(10);
    return [typeof id, seen, mock.calls];
  `, ["number", [], [["stop", 1]]]],
  ["an interval runs until it is cleared, from inside too", `
    let n = 0;
    const id = setInterval(() => { if (++n === 3) clearInterval(id); }, 10);
    await mock.advance(100);
    return n;
  `, 3],
  ["odd delays", `
    const before = mock.ops.size;
    for (const delay of [-5, NaN, "7", 1e20, undefined, 2.9]) setTimeout(() => {}, delay);
    return [...mock.ops.values()].slice(before).map((op) => op.due - mock.time);
  `, [0, 0, 7, 0x7fffffff, 0, 2]],
  ["a timer belongs to the request that made it", `
    sw.asRequest(4, () => { globalThis.id = setTimeout(() => { globalThis.seen = sw.request(); }, 5); });
    sw.asRequest(4, () => { globalThis.other = setTimeout(() => {}, 5); });
    clearTimeout(other);
    await mock.advance(5);
    return [seen, mock.calls];
  `, [4, [["stop", 4]]]],
  ["an error in a callback is reported, and the rest goes on", `
    setTimeout(() => { throw new Error("late"); }, 1);
    let after = false;
    setTimeout(() => { after = true; }, 2);
    await mock.advance(5);
    return [after, mock.logs.map(([level, text]) => [level, text.split("\\n")[0]])];
  `, [true, [[3, "Uncaught Error: late"]]]],
  ["an error in a microtask is reported, not lost", `
    queueMicrotask(() => { throw new Error("micro"); });
    let error; try { queueMicrotask(5); } catch (e) { error = e.name; }
    await mock.idle();
    return [mock.logs[0][1].split("\\n")[0], error];
  `, ["Uncaught Error: micro", "TypeError"]],
  ["timers that the host forgot leave no trace", `
    for (let i = 0; i < 30_000; i++) { setTimeout(() => {}, 1e6); mock.ops.clear(); }
    return "ok";
  `, "ok"],
  ["10,000 live timers are the ceiling", `
    for (let i = 0; i < 10_000; i++) setTimeout(() => {}, 1e6);
    try { setTimeout(() => {}, 1); } catch (error) { return String(error); }
  `, "RangeError: Too many timers: 10000 at once"],
  ["the module scope may do none of it", `
    mock.module = true;
    const tries = [
      () => setTimeout(() => {}), () => setInterval(() => {}), () => AbortSignal.timeout(1), () => crypto.randomUUID(),
      () => crypto.getRandomValues(new Uint8Array(1)), () => scheduler.wait(1), () => fetch("http://a/"),
    ];
    const outcomes = [];
    for (const attempt of tries) {
      try { await attempt(); outcomes.push("allowed"); } catch (error) { outcomes.push(error.message.slice(0, 58)); }
    }
    return [...new Set(outcomes)];
  `, ["Disallowed operation called within global scope. Asynchron"]],
  ["scheduler.wait, and its signal", `
    const seen = [];
    const controller = new AbortController();
    scheduler.wait(5).then(() => seen.push("waited"));
    scheduler.wait(50, { signal: controller.signal }).catch((error) => seen.push(error.name));
    await mock.advance(10);
    controller.abort();
    await mock.idle();
    return [seen, mock.ops.size];
  `, [["waited", "AbortError"], 0]],
  ["performance, navigator and random numbers", `
    mock.time = 1234;
    const uuid = crypto.randomUUID();
    let quota; try { crypto.getRandomValues(new Uint8Array(65_537)); } catch (error) { quota = error.name; }
    let kind; try { crypto.getRandomValues(new Float32Array(1)); } catch (error) { kind = error.name; }
    const filled = crypto.getRandomValues(new Uint16Array(2));
    return [performance.now(), performance.timeOrigin, navigator.userAgent, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid), quota, kind, filled[0] > 0];
  `, [1234, 0, "Cloudflare-Workers", true, "QuotaExceededError", "TypeMismatchError", true]],
]);
