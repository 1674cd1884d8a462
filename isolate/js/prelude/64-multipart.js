// multipart/form-data, as RFC 7578 and the HTML standard write and read it:
//
//   --BOUNDARY CRLF headers CRLF CRLF content CRLF --BOUNDARY … --BOUNDARY-- CRLF

const PARTS_MAX = 10_000;
const PART_HEAD_MAX = 16_384; // bytes of one part's headers
const CRLF = "\r\n";

const escapeName = (text) => text.replace(/\r\n|\r|\n/g, "%0D%0A").replaceAll('"', "%22");
const escapeFileName = (text) => text.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");
const normalNewlines = (text) => text.replace(/\r\n|\r|\n/g, CRLF);

let lastBoundary = 0; // module scope has no random bytes

function newBoundary() {
  if (sw.moduleScope()) return `----SwitchyardFormBoundary${String(++lastBoundary).padStart(16, "0")}`;
  const random = new Uint8Array(12);
  sw.random(random);
  return `----SwitchyardFormBoundary${random.toHex()}`;
}

function writeMultipart(form) {
  const boundary = newBoundary();
  const chunks = [];
  let length = 0;
  const put = (bytes) => {
    chunks.push(bytes);
    length += bytes.byteLength;
  };
  for (const [name, value] of formEntries(form)) {
    put(encodeText(`--${boundary}${CRLF}${partHead(name, value)}${CRLF}${CRLF}`));
    put(isBlob(value) ? blobBytes(value) : encodeText(normalNewlines(value)));
    put(encodeText(CRLF));
  }
  put(encodeText(`--${boundary}--${CRLF}`));
  return [concatBytes(chunks, length), `multipart/form-data; boundary=${boundary}`];
}

function partHead(name, value) {
  const head = `Content-Disposition: form-data; name="${escapeName(name)}"`;
  if (!isBlob(value)) return head;
  return `${head}; filename="${escapeFileName(value.name)}"${CRLF}Content-Type: ${value.type || "application/octet-stream"}`;
}

const malformed = (why) => new TypeError(`Could not parse the body as multipart/form-data: ${why}`);

class MultipartParser {
  constructor(bytes, boundary) {
    this.bytes = bytes;
    this.at = 0;
    this.delimiter = encodeText(`--${boundary}`);
    this.entries = [];
  }

  parse() {
    if (!this.matches(this.delimiter, 0)) throw new TypeError("No initial boundary string (or you have a truncated message).");
    this.at = this.delimiter.byteLength;
    while (!this.closing()) {
      if (this.entries.length >= PARTS_MAX) throw malformed(`it has more than ${PARTS_MAX} parts`);
      this.line("the boundary");
      this.part();
    }
    return this.entries;
  }

  closing() { return this.bytes[this.at] === 0x2d && this.bytes[this.at + 1] === 0x2d; }

  line(after) {
    if (this.bytes[this.at] !== 0x0d || this.bytes[this.at + 1] !== 0x0a) throw malformed(`no line break after ${after} at byte ${this.at}`);
    this.at += 2;
  }

  part() {
    const headers = this.head();
    const disposition = headers.get("content-disposition") ?? "";
    const name = parameter(disposition, "name");
    this.named(disposition, name);
    this.entries.push([name, this.value(this.content(), headers, parameter(disposition, "filename"))]);
  }

  named(disposition, name) {
    const [value] = disposition.split(";");
    if (disposition === "") throw new TypeError("No valid Content-Disposition header found in FormData part.");
    if (!/^form-data\s*$/i.test(value)) {
      throw new TypeError(`Content-Disposition header for FormData part must have the value "form-data", possibly followed by parameters. Got: ${JSON.stringify(value)}`);
    }
    if (name === undefined) throw new TypeError("Content-Disposition header in FormData part is missing a name.");
  }

  head() {
    const end = this.find(CRLF_CRLF, this.at === 0 ? 0 : this.at - 2);
    if (end < 0 || end - this.at > PART_HEAD_MAX) throw new TypeError("No multipart message header termination found.");
    const headers = new Map();
    for (const line of decodeText(this.bytes.subarray(this.at, Math.max(end, this.at))).split(CRLF)) {
      const colon = line.indexOf(":");
      if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
    this.at = end + 4;
    return headers;
  }

  content() {
    const end = this.findDelimiter();
    if (end < 0) throw new TypeError("No subsequent boundary string after multipart message.");
    const content = this.bytes.subarray(this.at, end);
    this.at = end + 2 + this.delimiter.byteLength;
    return content;
  }

  findDelimiter() {
    for (let at = this.at - 2; ; at++) {
      at = this.bytes.indexOf(0x0d, at);
      if (at < 0) return -1;
      if (this.bytes[at + 1] === 0x0a && this.matches(this.delimiter, at + 2)) return at < this.at ? this.at : at;
    }
  }

  value(content, headers, filename) {
    if (filename === undefined || filename === "") return decodeBody(content);
    const type = headers.get("content-type") ?? "";
    return new File(SECRET, content, { type: blobType(type), name: filename, lastModified: sw.now() });
  }

  find(wanted, from) {
    for (let at = from; ; at++) {
      at = this.bytes.indexOf(wanted[0], at);
      if (at < 0 || this.matches(wanted, at)) return at;
    }
  }

  matches(wanted, at) {
    if (at < 0 || at + wanted.byteLength > this.bytes.byteLength) return false;
    for (let i = 0; i < wanted.byteLength; i++) if (this.bytes[at + i] !== wanted[i]) return false;
    return true;
  }
}

const CRLF_CRLF = encodeText(CRLF + CRLF);

// parameter reads `name="value"` or `name=value` from a header; undefined when it is not there.
function parameter(header, name) {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, "i").exec(header);
  if (!found) return undefined;
  const value = found[1] ?? found[2];
  return name === "boundary" ? value : value.replace(/%0D/gi, "\r").replace(/%0A/gi, "\n").replace(/%22/g, '"');
}

function parseMultipart(bytes, contentType) {
  const boundary = parameter(contentType, "boundary");
  if (boundary === undefined || boundary === "" || boundary.length > 256) throw new TypeError(NO_BOUNDARY);
  return new FormData(SECRET, new MultipartParser(bytes, boundary).parse());
}

// A form keeps what a URLSearchParams drops from its string: a "?" at the beginning, and a byte order mark.
function parseUrlencoded(bytes) {
  return new FormData(SECRET, [...new URLSearchParams(`&${decodeText(bytes)}`)]);
}

const NO_BOUNDARY = "No boundary string in Content-Type header. The multipart/form-data MIME type requires a boundary " +
  "parameter, e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4.";
const NO_FORM = "Unrecognized Content-Type header value. FormData can only parse the following MIME types: " +
  "multipart/form-data, application/x-www-form-urlencoded";

// consumeAs owns bytes from here on: what it returns may share them.
hooks.consumeAs = (bytes, kind, contentType) => {
  const type = contentType ?? "";
  if (kind === "blob") return new Blob(SECRET, bytes, blobType(type));
  if (/^multipart\/form-data\s*(;|$)/i.test(type)) return parseMultipart(bytes, type);
  if (/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return parseUrlencoded(bytes);
  throw new TypeError(contentType === null || contentType === undefined ? "Parsing a Body as FormData requires a Content-Type header." : NO_FORM);
};

function ownStream(stream) {
  const error = foreign(readableOf(stream).request);
  if (error !== undefined) throw error;
  return stream;
}

hooks.extractBody = (init) => {
  if (isReadableStream(init)) return [ownStream(init), null];
  if (isBlob(init)) return [sliceBytes(blobBytes(init)), init.type || null];
  if (isFormData(init)) return writeMultipart(init);
  return [`${init}`.toWellFormed(), "text/plain;charset=UTF-8"];
};
