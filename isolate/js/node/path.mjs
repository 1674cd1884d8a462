// node:path. There are POSIX paths only; win32 is for names, and the same.
import npm from "path-browserify";

export const { basename, delimiter, dirname, extname, format, isAbsolute, join, normalize, parse, relative, resolve, sep } = npm;
export const toNamespacedPath = (path) => path;
const path = { basename, delimiter, dirname, extname, format, isAbsolute, join, normalize, parse, relative, resolve, sep, toNamespacedPath };
path.posix = path;
path.win32 = path;
export const posix = path, win32 = path;
export default path;
