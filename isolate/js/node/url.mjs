// node:url: the URL standard's classes are the runtime's own, the rest is Node's older interface.
import * as npm from "unenv/node/url";

const { URL, URLSearchParams } = globalThis;
export { URL, URLSearchParams };
export const { Url, parse, resolve, resolveObject, format, domainToASCII, domainToUnicode, fileURLToPath, pathToFileURL, urlToHttpOptions } = npm;
export default {
  URL, URLSearchParams, Url, parse, resolve, resolveObject, format, domainToASCII, domainToUnicode, fileURLToPath, pathToFileURL, urlToHttpOptions,
};
