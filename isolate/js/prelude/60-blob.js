// Blob and File: immutable bytes with a type. A slice shares its parent's bytes.

const TYPE = /^[\x20-\x7e]*$/;
const STREAM_PIECE = 65_536; // bytes of one chunk of blob.stream()

const blobType = (type) => (TYPE.test(type) ? type.toLowerCase() : "");

class Blob {
  #bytes;
  #type;

  constructor(parts = undefined, options = undefined) {
    if (parts === SECRET) {
      this.#bytes = arguments[1];
      this.#type = arguments[2];
      return;
    }
    const given = parts === undefined ? [] : partsOf(parts);
    const { endings, type } = dictionary(options, "options");
    const wanted = endings === undefined ? "transparent" : `${endings}`;
    if (wanted !== "transparent" && wanted !== "native") throw new TypeError("endings is not 'transparent' or 'native'");
    this.#type = type === undefined ? "" : blobType(`${type}`);
    this.#bytes = joinParts(given, wanted === "native");
  }

  get size() { return this.#bytes.byteLength; }
  get type() { return this.#type; }

  slice(start = undefined, end = undefined, type = undefined) {
    const size = this.#bytes.byteLength;
    const from = clampIndex(start, 0, size);
    const to = Math.max(from, clampIndex(end, size, size));
    return new Blob(SECRET, this.#bytes.subarray(from, to), type === undefined ? "" : blobType(`${type}`));
  }

  arrayBuffer() {
    return promised(() => promiseResolve(sliceBytes(this.#bytes).buffer));
  }

  bytes() {
    return promised(() => promiseResolve(sliceBytes(this.#bytes)));
  }

  text() {
    return promised(() => promiseResolve(decodeBody(this.#bytes)));
  }

  stream() { return piecesStream(this.#bytes).public; }

  static isBlob(value) { return typeof value === "object" && value !== null && #bytes in value; }
  static blobBytes(blob) { return blob.#bytes; }
}

const { isBlob, blobBytes } = Blob;
for (const name of ["isBlob", "blobBytes"]) delete Blob[name];

// decodeBody is the Encoding standard's "UTF-8 decode": a byte order mark is left out.
const bodyDecoder = new TextDecoder();
const decodeBody = (bytes) => decodeWith(bodyDecoder, bytes);

function partsOf(parts) {
  if (typeof parts !== "object" && typeof parts !== "function" || parts === null || typeof parts[Symbol.iterator] !== "function") {
    throw new TypeError("Blob: the parts are not a sequence");
  }
  const given = [];
  for (const part of parts) given.push(isBlob(part) || isView(part) || isBuffer(part) ? part : `${part}`.toWellFormed());
  return given;
}

function joinParts(parts, native) {
  let length = 0;
  const chunks = parts.map((part) => {
    const bytes = partBytes(part, native);
    length += bytes.byteLength;
    return bytes;
  });
  return concatBytes(chunks, length);
}

function partBytes(part, native) {
  if (typeof part === "string") return encodeText(native ? part.replace(/\r\n?/g, "\n") : part);
  return isBlob(part) ? blobBytes(part) : bytesOf(part);
}

// clampIndex is Web IDL's [Clamp] long long, counted from the end when negative.
function clampIndex(value, fallback, size) {
  if (value === undefined) return fallback;
  const number = Math.round(Number(value)) || 0;
  return number < 0 ? Math.max(size + number, 0) : Math.min(number, size);
}

function piecesStream(bytes) {
  let at = 0;
  const stream = Readable.makeBytes({
    pull: () => {
      const piece = bytes.subarray(at, at + STREAM_PIECE);
      at += piece.byteLength;
      if (piece.byteLength > 0) stream.controller.enqueue(sliceBytes(piece));
      if (at >= bytes.byteLength) stream.controller.end();
      return RESOLVED;
    },
  });
  stream.expected = bytes.byteLength;
  return stream;
}

class File extends Blob {
  #name;
  #lastModified;

  constructor(parts, name, options = undefined) {
    if (parts === SECRET) {
      super(SECRET, name, options.type);
      this.#name = options.name;
      this.#lastModified = options.lastModified;
      return;
    }
    need(arguments.length, 2, "File");
    super(partsOf(parts), options);
    this.#name = `${name}`.toWellFormed();
    const modified = options?.lastModified;
    this.#lastModified = modified === undefined ? sw.now() : Math.trunc(Number(modified)) || 0;
  }

  get name() { return this.#name; }
  get lastModified() { return this.#lastModified; }

  static isFile(value) { return typeof value === "object" && value !== null && #name in value; }
}

const { isFile } = File;
delete File.isFile;

publish(Blob, File);

function cloneBlob(blob) {
  const bytes = blobBytes(blob);
  if (!isFile(blob)) return new Blob(SECRET, bytes, blob.type);
  return new File(SECRET, bytes, { type: blob.type, name: blob.name, lastModified: blob.lastModified });
}

// fileNamed is the blob as a File of that name: the same object when it is one already.
function fileNamed(blob, name) {
  if (isFile(blob) && name === undefined) return blob;
  const lastModified = isFile(blob) ? blob.lastModified : sw.now();
  return new File(SECRET, blobBytes(blob), { type: blob.type, name: name ?? "blob", lastModified });
}
