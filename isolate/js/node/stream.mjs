// node:stream: the npm package's, with ways from and to the Web's streams.
import stream from "readable-stream/lib/ours/browser.js";

export const {
  Readable, Writable, Duplex, Transform, PassThrough, Stream, pipeline, finished, addAbortSignal, compose, destroy, promises,
  isDisturbed, isErrored, isReadable, _isUint8Array, _uint8ArrayToBuffer,
} = stream;

let bytesMark = 65_536, objectsMark = 16;
export const getDefaultHighWaterMark = (objects) => (objects ? objectsMark : bytesMark);
export function setDefaultHighWaterMark(objects, mark) {
  if (objects) objectsMark = mark;
  else bytesMark = mark;
}

Readable.fromWeb = (web, options) => Readable.from(web, { objectMode: false, ...options });

Readable.toWeb = function toWeb(readable) {
  const iterator = readable.iterator({ destroyOnReturn: true });
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await iterator.next();
      if (done) return controller.close();
      controller.enqueue(typeof value === "string" ? Buffer.from(value) : value);
    },
    cancel(reason) { readable.destroy(reason instanceof Error ? reason : undefined); },
  }, { highWaterMark: 0 });
};

const settled = (act) => new Promise((resolve, reject) => act((error) => (error ? reject(error) : resolve())));

Writable.toWeb = function toWeb(writable) {
  return new WritableStream({
    write: (chunk) => settled((done) => writable.write(chunk, done)),
    close: () => settled((done) => { finished(writable, done); writable.end(); }),
    abort: (reason) => { writable.destroy(reason instanceof Error ? reason : undefined); },
  });
};

Writable.fromWeb = function fromWeb(web, options) {
  const writer = web.getWriter();
  return new Writable({
    ...options,
    write(chunk, _, done) { writer.write(chunk).then(() => done(), done); },
    final(done) { writer.close().then(() => done(), done); },
    destroy(error, done) { (error ? writer.abort(error) : Promise.resolve()).then(() => done(error), () => done(error)); },
  });
};

Object.assign(Stream, { getDefaultHighWaterMark, setDefaultHighWaterMark });
export default stream;
