import { stories } from "./engine.mjs";

const channel = `
  const { port1, port2 } = new MessageChannel();
  const seen = [];
  const note = (event) => seen.push(event.data);
`;

stories([
  ["messages are tasks, in order", `${channel}
    port2.onmessage = note;
    port1.postMessage(1);
    port1.postMessage({ a: [2] });
    seen.push("after");
    await mock.idle();
    seen.push("no microtask");
    await mock.advance(1);
    return seen;
  `, ["after", "no microtask", 1, { a: [2] }]],
  ["a port that has not started keeps what arrives", `${channel}
    port2.addEventListener("message", note);
    port1.postMessage("early");
    await mock.advance(1);
    const before = seen.length;
    port2.start();
    await mock.advance(1);
    return [before, seen];
  `, [0, ["early"]]],
  ["both ways, until one closes", `${channel}
    port2.onmessage = ({ data }) => port2.postMessage(data + 1);
    port1.onmessage = note;
    port1.postMessage(1);
    await mock.advance(5);
    port2.close();
    port1.postMessage(5);
    await mock.advance(5);
    return seen;
  `, [2]],
  ["what was posted before its sender closed arrives", `${channel}
    port2.onmessage = note;
    port1.postMessage("last");
    port1.close();
    await mock.advance(1);
    return seen;
  `, ["last"]],
  ["a message is a copy, made at once", `${channel}
    const buffer = new ArrayBuffer(8), value = { n: 1 };
    port2.onmessage = note;
    port1.postMessage(value);
    value.n = 2;
    port1.postMessage(buffer, [buffer]);
    await mock.advance(1);
    let refused;
    try { port1.postMessage(() => {}); } catch (error) { refused = error.name; }
    return [seen[0], seen[1].byteLength, buffer.byteLength, refused];
  `, [{ n: 1 }, 8, 0, "DataCloneError"]],
  ["a message belongs to the request that posted it", `${channel}
    port2.onmessage = () => seen.push(sw.request());
    sw.asRequest(4, () => port1.postMessage("x"));
    await mock.advance(1);
    return seen;
  `, [4]],
  ["another request does not get what waits", `${channel}
    port2.addEventListener("message", note);
    sw.asRequest(4, () => port1.postMessage("theirs"));
    sw.asRequest(5, () => port2.start());
    await mock.advance(1);
    return seen;
  `, []],
  ["module scope's messages need no clock", `${channel}
    mock.request = 0;
    port2.onmessage = note;
    port1.postMessage("m");
    await mock.idle();
    mock.request = 1;
    return seen;
  `, ["m"]],
]);
