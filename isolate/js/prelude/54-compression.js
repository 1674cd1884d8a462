// CompressionStream and DecompressionStream, on the host's libraries. What they keep there ends
// with the request, so there are none at module scope.

const COMPRESSION = 3;
const NEW_COMPRESSOR = 1, NEW_DECOMPRESSOR = 2, COMPRESS = 3, END_COMPRESSED = 4, FEED = 5, READ = 6, END_DECOMPRESSED = 7;
const compressionFormats = { __proto__: null, gzip: true, deflate: true, "deflate-raw": true };

function compressionFormat(format, what) {
  const name = `${format}`;
  if (compressionFormats[name]) return name;
  throw new TypeError(`${what}: the format must be either 'deflate', 'deflate-raw' or 'gzip'.`);
}

// bytesTransform sends on what change(bytes, give) gives of each chunk, and end(give) at the end.
function bytesTransform(change, end) {
  const give = (bytes) => { if (bytes.byteLength > 0) transform.enqueue(bytes); };
  const transform = new Transform({
    transform: (chunk) => promised(() => {
      change(compressionChunk(chunk), give);
      return RESOLVED;
    }),
    flush: () => promised(() => {
      end(give);
      return RESOLVED;
    }),
  }, { mark: 1, size: one }, { mark: 0, size: one });
  transform.start();
  return transform;
}

function compressionChunk(chunk) {
  if (!isView(chunk) && !isBuffer(chunk)) throw new TypeError("The chunk is no ArrayBuffer and no view of one.");
  return chunk;
}

class CompressionStream {
  #transform;

  constructor(format) {
    need(arguments.length, 1, "CompressionStream");
    const name = compressionFormat(format, "CompressionStream");
    insideHandler();
    const compressor = newObject(COMPRESSION, NEW_COMPRESSOR, 0, name);
    this.#transform = bytesTransform(
      (bytes, give) => give(service(COMPRESSION, COMPRESS, compressor, bytes)),
      (give) => {
        give(service(COMPRESSION, END_COMPRESSED, compressor));
        freeObject(COMPRESSION, compressor);
      },
    );
  }

  get readable() { return this.#transform.readable.public; }
  get writable() { return this.#transform.writable.public; }
}

class DecompressionStream {
  #transform;

  constructor(format) {
    need(arguments.length, 1, "DecompressionStream");
    const name = compressionFormat(format, "DecompressionStream");
    insideHandler();
    const decompressor = newObject(COMPRESSION, NEW_DECOMPRESSOR, 0, name);
    this.#transform = bytesTransform(
      (bytes, give) => decompressAll(decompressor, bytes, give),
      () => {
        service(COMPRESSION, END_DECOMPRESSED, decompressor);
        freeObject(COMPRESSION, decompressor);
      },
    );
  }

  get readable() { return this.#transform.readable.public; }
  get writable() { return this.#transform.writable.public; }
}

// decompressAll feeds bytes and gives what comes of them, a piece at a time.
function decompressAll(decompressor, bytes, give) {
  service(COMPRESSION, FEED, decompressor, bytes);
  for (;;) {
    const piece = service(COMPRESSION, READ, decompressor);
    if (piece.byteLength === 0) return;
    give(piece);
  }
}

publish(CompressionStream, DecompressionStream);
