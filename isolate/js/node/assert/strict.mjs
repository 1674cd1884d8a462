// node:assert/strict.
import { strict } from "node:assert";

export const {
  AssertionError, ok, fail, ifError, match, doesNotMatch, throws, rejects, doesNotThrow, doesNotReject, strictEqual, notStrictEqual,
  deepStrictEqual, notDeepStrictEqual, equal, notEqual, deepEqual, notDeepEqual,
} = strict;
export { strict };
export default strict;
