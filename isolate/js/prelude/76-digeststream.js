// crypto.DigestStream, Workers' own: a writable that hashes what is written to it.

class DigestStream extends WritableStream {
  #digest;
  #written;

  constructor(algorithm) {
    need(arguments.length, 1, "DigestStream");
    const { name } = normalized("digest", algorithm);
    const done = withResolvers();
    const written = { bytes: 0 };
    const hasher = newObject(WEBCRYPTO, host.newDigest, 0, name);
    super({
      write(chunk) {
        const bytes = bytesOfChunk(chunk);
        service(WEBCRYPTO, host.updateDigest, hasher, bytes);
        written.bytes += bytes.length;
      },
      close() {
        done.resolve(service(WEBCRYPTO, host.endDigest, hasher).buffer);
        freeObject(WEBCRYPTO, hasher);
      },
      abort(reason) {
        done.reject(reason);
        freeObject(WEBCRYPTO, hasher);
      },
    });
    this.#digest = handled(done.promise);
    this.#written = written;
  }

  get digest() { return this.#digest; }
  get bytesWritten() { return BigInt(this.#written.bytes); }
}

interfaceOf(DigestStream);
hidden(Crypto.prototype, "DigestStream", DigestStream);
