// Services of the host: what is heavy in an interpreter, or exists as a library of the host's. A
// request is a number, a method, an object (0: none) and parts: buffers, strings, numbers.
//
//   service(DIGEST, 1, 0, "SHA-256", bytes)      -> Uint8Array
//   serviceText(ENCODING, 2, decoder, bytes)     -> string
//   serviceAsync(CRYPTO, 3, 0, key, bytes)       -> promise of a Uint8Array
//
// An object lives on the host until the request ends, or until freeObject.

const FREE = 0; // a method of every service
const nativeErrors = { __proto__: null, Error, TypeError, RangeError, SyntaxError, ReferenceError, URIError };
const serviceFailure = /^((?:[A-Z][A-Za-z]*)?Error): ([^]*)$/;
const execFailure = uncurry(RegExp.prototype.exec);

// raise turns "Name: message", the host's words for a failure, into the exception of that name.
function raise(error) {
  const said = execFailure(serviceFailure, error.message);
  if (said === null) return error;
  const Native = nativeErrors[said[1]];
  return Native === undefined ? new DOMException(said[2], said[1]) : new Native(said[2]);
}

function service(...request) {
  try {
    return sw.service(...request);
  } catch (error) {
    throw raise(error);
  }
}

function serviceText(...request) {
  try {
    return sw.serviceText(...request);
  } catch (error) {
    throw raise(error);
  }
}

function serviceAsync(...request) {
  try {
    return then(sw.serviceAsync(...request), undefined, (error) => { throw raise(error); });
  } catch (error) {
    return rejected(raise(error));
  }
}

// newObject asks for what makes an object of the host, and returns its id.
function newObject(...request) {
  return wordAt(service(...request), 0);
}

const wordAt = (bytes, i) => bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);

function freeObject(number, object) {
  sw.service(number, FREE, object);
}
