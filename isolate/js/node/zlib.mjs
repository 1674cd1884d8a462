// node:zlib: gzip and deflate, on the library that CompressionStream is on.
import { Buffer } from "node:buffer";
import { Transform } from "node:stream";
import { COMPRESSION, freeObject, inNextJob, newObject, service } from "node-internal:runtime";
import { bytesOf } from "../nodelib/hash.mjs";
import { coded, unsupported } from "../nodelib/errors.mjs";

const NEW_COMPRESSOR = 1, NEW_DECOMPRESSOR = 2, COMPRESS = 3, END_COMPRESSED = 4, FEED = 5, READ = 6, END_DECOMPRESSED = 7;

const asBuffer = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

class Compressor {
  constructor(format) { this.object = newObject(COMPRESSION, NEW_COMPRESSOR, 0, format); }
  write(bytes) { return [service(COMPRESSION, COMPRESS, this.object, bytes)]; }

  end() {
    const last = service(COMPRESSION, END_COMPRESSED, this.object);
    freeObject(COMPRESSION, this.object);
    return [last];
  }
}

class Decompressor {
  constructor(format) { this.object = newObject(COMPRESSION, NEW_DECOMPRESSOR, 0, format); }

  write(bytes) {
    const pieces = [];
    service(COMPRESSION, FEED, this.object, bytes);
    for (;;) {
      const piece = service(COMPRESSION, READ, this.object);
      if (piece.length === 0) return pieces;
      pieces.push(piece);
    }
  }

  end() {
    service(COMPRESSION, END_DECOMPRESSED, this.object);
    freeObject(COMPRESSION, this.object);
    return [];
  }
}

function dataError(error) {
  return coded(Error, /ends too early/.test(error.message) ? "Z_BUF_ERROR" : "Z_DATA_ERROR", error.message);
}

function wholly(codec, data) {
  try {
    return Buffer.concat([...codec.write(bytesOf(data, undefined, "buffer")), ...codec.end()]);
  } catch (error) {
    throw error instanceof TypeError && error.message.startsWith("Decompression failed") ? dataError(error) : error;
  }
}

class Zlib extends Transform {
  #codec;

  constructor(codec, options) {
    super(options);
    this.#codec = codec;
  }

  #send(make, done) {
    try {
      for (const piece of make()) if (piece.length > 0) this.push(asBuffer(piece));
      done();
    } catch (error) {
      done(dataError(error));
    }
  }

  _transform(chunk, encoding, done) { this.#send(() => this.#codec.write(bytesOf(chunk, encoding)), done); }
  _flush(done) { this.#send(() => this.#codec.end(), done); }
}

// family makes fn and fnSync of one codec, and what makes its stream.
function family(make) {
  const sync = (data) => wholly(make(), data);
  const async = (data, options, callback = options) => {
    let outcome;
    try {
      outcome = [null, sync(data)];
    } catch (error) {
      outcome = [error];
    }
    inNextJob(() => callback(...outcome));
  };
  return [async, sync, (options) => new Zlib(make(), options)];
}

export const [gzip, gzipSync, createGzip] = family(() => new Compressor("gzip"));
export const [gunzip, gunzipSync, createGunzip] = family(() => new Decompressor("gzip"));
export const [deflate, deflateSync, createDeflate] = family(() => new Compressor("deflate"));
export const [inflate, inflateSync, createInflate] = family(() => new Decompressor("deflate"));
export const [deflateRaw, deflateRawSync, createDeflateRaw] = family(() => new Compressor("deflate-raw"));
export const [inflateRaw, inflateRawSync, createInflateRaw] = family(() => new Decompressor("deflate-raw"));

const noBrotli = (name) => ({ [name]() { throw unsupported(`zlib.${name}`); } })[name];
export const brotliCompressSync = noBrotli("brotliCompressSync"), brotliDecompressSync = noBrotli("brotliDecompressSync");
export const createBrotliCompress = noBrotli("createBrotliCompress"), createBrotliDecompress = noBrotli("createBrotliDecompress");

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

export function crc32(data, value = 0) {
  let crc = ~value;
  for (const byte of bytesOf(data)) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

export const constants = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_OK: 0, Z_STREAM_END: 1, Z_DATA_ERROR: -3, Z_BUF_ERROR: -5,
  Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1,
};

export default {
  brotliCompressSync, brotliDecompressSync, constants, crc32, createBrotliCompress, createBrotliDecompress, createDeflate, createDeflateRaw,
  createGunzip, createGzip, createInflate, createInflateRaw, deflate, deflateRaw, deflateRawSync, deflateSync, gunzip, gunzipSync, gzip,
  gzipSync, inflate, inflateRaw, inflateRawSync, inflateSync,
};
