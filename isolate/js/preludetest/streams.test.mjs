import { stories } from "./engine.mjs";

// all reads a stream of text chunks to its end.
const all = `async function all(stream) { let text = ""; for await (const chunk of stream) text += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk); return text; }`;
const host = `mock.bodies.set(3, ["ab", "cd", "ef"]); const stream = sw.hooks.bodyStream(null, 3); ${all}`;

stories([
  ["a host body is read lazily, by its request alone", `${host}
    await mock.idle();
    const before = mock.calls.length;
    const reader = stream.getReader();
    const foreign = await sw.asRequest(9, () => reader.read()).catch((error) => error.message.slice(0, 22));
    const first = reader.read();
    const { value, done } = await first;
    return [before, foreign, new TextDecoder().decode(value), done, mock.calls];
  `, [0, "Cannot perform I/O on ", "ab", false, [["read", 3, 1]]]],
  ["a host body to its end", `${host} return [await all(stream), mock.calls.length];`, ["abcdef", 4]],
  ["an untouched host body has a handle, a touched one has none", `${host}
    const untouched = [sw.hooks.handleOf(stream), sw.hooks.isDisturbed(stream), sw.hooks.isLocked(stream)];
    const reader = stream.getReader();
    const locked = sw.hooks.handleOf(stream);
    await reader.read();
    reader.releaseLock();
    return [untouched, locked, sw.hooks.handleOf(stream), sw.hooks.isDisturbed(stream), sw.hooks.handleOf(new ReadableStream())];
  `, [[3, false, false], 0, 0, true, 0]],
  ["a host body that was passed on is locked for good", `${host}
    sw.hooks.release(stream);
    let error; try { stream.getReader(); } catch (e) { error = e.name; }
    return [sw.hooks.handleOf(stream), stream.locked, error, mock.calls];
  `, [0, true, "TypeError", []]],
  ["cancelling a host body tells the host, for its request alone", `${host}
    const foreign = await sw.asRequest(8, () => stream.cancel("why")).catch((error) => error.message.slice(0, 22));
    await stream.cancel("why");
    return [foreign, mock.calls];
  `, ["Cannot perform I/O on ", [["cancel", 3, 1]]]],
  ["BYOB reads fill the caller's buffer", `${host}
    const reader = stream.getReader({ mode: "byob" });
    const a = await reader.read(new Uint8Array(1));
    const b = await reader.read(new Uint8Array(4), { min: 3 });
    const c = await reader.read(new Uint8Array(8), { min: 8 });
    const d = await reader.read(new Uint8Array(8));
    return [a, b, c, d].map(({ value, done }) => [new TextDecoder().decode(value), done]);
  `, [["a", false], ["bcd", false], ["ef", true], ["", true]]],
  ["tee gives both the bytes, and copies", `${host}
    const [a, b] = sw.hooks.tee(stream);
    const [left, right] = await Promise.all([a.getReader().read(), b.getReader().read()]);
    left.value[0] = 0;
    return [new TextDecoder().decode(right.value), stream.locked];
  `, ["ab", true]],
  ["consume reads all; a chunk that is not bytes fails", `${host}
    const whole = new TextDecoder().decode(await sw.hooks.consume(stream));
    const error = await sw.hooks.consume(ReadableStream.from(["text"])).catch(String);
    return [whole, error];
  `, ["abcdef", "TypeError: This ReadableStream did not return bytes."]],
  ["consume of 20,000 queued chunks", `
    const stream = new ReadableStream({ start(c) { for (let i = 0; i < 20_000; i++) c.enqueue(new Uint8Array(1)); c.close(); } });
    return (await sw.hooks.consume(stream)).byteLength;
  `, 20_000],
  ["bytes and text as a stream", `${all}
    const text = sw.hooks.bodyStream(null, "hé");
    const bytes = sw.hooks.bodyStream(null, new Uint8Array([104, 105]));
    const lengths = [sw.hooks.lengthOf(text), sw.hooks.lengthOf(bytes), sw.hooks.lengthOf(new ReadableStream())];
    return [lengths, await all(text), await all(bytes), await all(sw.hooks.bodyStream(null, ""))];
  `, [[3, 2, -1], "hé", "hi", ""]],
  ["the pump waits for the host", `
    let room;
    mock.onWrite = () => new Promise((resolve) => { room = resolve; });
    let pulled = 0;
    const stream = new ReadableStream({ pull(c) { pulled++; if (pulled > 3) c.close(); else c.enqueue(new TextEncoder().encode("x" + pulled)); } }, { highWaterMark: 0 });
    sw.hooks.sendStream(stream);
    const atOnce = mock.written.length;
    await mock.idle();
    const first = [mock.written.length, pulled];
    room(); await mock.idle(); room(); await mock.idle(); room(); await mock.idle();
    return [atOnce, first, mock.written];
  `, [0, [1, 1], ["x1", "x2", "x3", "END"]]],
  ["the pump ends with the stream's error, and with a chunk that is not bytes: both are logged", `
    sw.hooks.sendStream(new ReadableStream({ start(c) { c.error(new RangeError("broke")); } }));
    let cancelled;
    sw.hooks.sendStream(new ReadableStream({ start(c) { c.enqueue("text"); }, cancel(reason) { cancelled = reason.name; } }));
    await mock.idle();
    return [mock.written, cancelled, mock.logs.map(([, text]) => text.split("\\n")[0])];
  `, [
    ["FAILED RangeError: broke", "FAILED TypeError: This ReadableStream did not return bytes."], "TypeError",
    ["Uncaught RangeError: broke", "Uncaught TypeError: This ReadableStream did not return bytes."],
  ]],
  ["a reader that has gone cancels the source", `
    mock.onWrite = () => { throw new TypeError("gone"); };
    let reason;
    sw.hooks.sendStream(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1)); }, cancel(why) { reason = why.message; } }));
    await mock.idle();
    return [reason, mock.written.length];
  `, ["gone", 1]],
  ["a request's body goes out by its own stream", `${host}
    const id = sw.hooks.sendRequestStream(stream);
    await mock.idle();
    return [id, mock.written];
  `, [7, ["7:ab", "7:cd", "7:ef", "7:END"]]],
  ["user-made streams, transforms and pipes", `${all}
    const upper = new TransformStream({ transform(chunk, c) { c.enqueue(chunk.toUpperCase()); }, flush(c) { c.enqueue("!"); } });
    const source = new ReadableStream({ start(c) { c.enqueue("a"); c.enqueue("b"); c.close(); } });
    return all(source.pipeThrough(upper).pipeThrough(new TextEncoderStream()).pipeThrough(new TextDecoderStream()));
  `, "AB!"],
  ["text split inside a character", `${all}
    const source = new ReadableStream({ start(c) { c.enqueue(new Uint8Array([0xe2, 0x82])); c.enqueue(new Uint8Array([0xac])); c.close(); } });
    const halves = new ReadableStream({ start(c) { c.enqueue("\\ud83d"); c.enqueue("\\ude00"); c.close(); } });
    return [await all(source.pipeThrough(new TextDecoderStream())), await all(halves.pipeThrough(new TextEncoderStream()))];
  `, ["€", "😀"]],
  ["an aborted pipe", `
    const seen = [];
    const controller = new AbortController();
    const pending = new ReadableStream({ cancel(r) { seen.push("cancel " + r); } })
      .pipeTo(new WritableStream({ abort(r) { seen.push("abort " + r); } }), { signal: controller.signal });
    await mock.idle();
    controller.abort("stop");
    return [await pending.catch(String), seen.sort()];
  `, ["stop", ["abort stop", "cancel stop"]]],
  ["an identity stream buffers nothing", `
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    let written = false;
    writer.write(new TextEncoder().encode("hi")).then(() => { written = true; });
    await mock.idle();
    const before = written;
    const { value } = await readable.getReader().read();
    await mock.idle();
    return [before, new TextDecoder().decode(value), written, sw.hooks.lengthOf(readable)];
  `, [false, "hi", true, -1]],
  ["a fixed length is known, and kept", `
    const make = () => { const { readable, writable } = new FixedLengthStream(3); return [readable.getReader(), writable.getWriter(), readable]; };
    const [exact, exactWriter, stream] = make();
    exactWriter.write(new Uint8Array(3)); exactWriter.close();
    const sizes = [(await exact.read()).value.byteLength, (await exact.read()).done];
    const [, longWriter] = make();
    const long = await longWriter.write(new Uint8Array(4)).catch(String);
    const [, shortWriter] = make();
    const short = await shortWriter.close().catch(String);
    return [sw.hooks.lengthOf(stream), sizes, long, short];
  `, [3, [3, true], "TypeError: Attempt to write too many bytes through a FixedLengthStream.", "TypeError: FixedLengthStream did not see all expected bytes before close()."]],
  ["tenants' patches do not reach the streams", `${host}
    Promise.prototype.then = () => { throw new Error("patched"); };
    ReadableStream.prototype.getReader = () => { throw new Error("patched"); };
    const whole = await sw.hooks.consume(stream);
    return new TextDecoder().decode(whole);
  `, "abcdef"],
]);
