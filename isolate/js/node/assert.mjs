// node:assert.
import { inspect } from "node:util";
import { isDeepEqual } from "../nodelib/equal.mjs";
import { coded, invalidArgument } from "../nodelib/errors.mjs";

export class AssertionError extends Error {
  constructor({ message, actual, expected, operator, stackStartFn } = {}) {
    super(message ?? `${inspect(actual)} ${operator} ${inspect(expected)}`);
    this.name = "AssertionError";
    this.code = "ERR_ASSERTION";
    Object.assign(this, { generatedMessage: message === undefined, actual, expected, operator });
    Error.captureStackTrace?.(this, stackStartFn);
  }
}

const WORDED = new Set(["throws", "rejects", "doesNotThrow", "doesNotReject", "ifError", "fail"]); // in Node, too, these have no generated message

// failure throws what the caller wants thrown: an Error of its own, or ours with its words.
function failure(message, words, details) {
  if (message instanceof Error) throw message;
  const error = new AssertionError({ ...details, message: message ?? words });
  error.generatedMessage = message === undefined && !WORDED.has(details.operator);
  throw error;
}

const inline = (a, b, sign) => {
  const [left, right] = [inspect(a), inspect(b)];
  return `${left}${left.includes("\n") || right.includes("\n") ? "\n\n" : " "}${sign}${right.includes("\n") ? "\n\n" : " "}${right}`;
};

function needTwo(count) {
  if (count < 2) throw coded(TypeError, "ERR_MISSING_ARGS", 'The "actual" and "expected" arguments must be specified');
}

// comparison makes an assertion about two values.
function comparison(operator, holds, words) {
  return { [operator](actual, expected, message) {
    needTwo(arguments.length);
    if (!holds(actual, expected)) failure(message, words(actual, expected), { actual, expected, operator });
  } }[operator];
}

function ok(value, message) {
  if (arguments.length === 0) failure(undefined, "No value argument passed to `assert.ok()`", { actual: value, expected: true, operator: "==" });
  if (!value) failure(message, "The expression evaluated to a falsy value", { actual: value, expected: true, operator: "==" });
}

const strictEqual = comparison("strictEqual", Object.is, (a, b) => `Expected values to be strictly equal:\n\n${inline(a, b, "!==")}\n`);
const notStrictEqual = comparison("notStrictEqual", (a, b) => !Object.is(a, b), (a) => `Expected "actual" to be strictly unequal to: ${inspect(a)}`);
const looselyEqual = (a, b) => a == b || (a !== a && b !== b);
const equal = comparison("equal", looselyEqual, (a, b) => inline(a, b, "=="));
const notEqual = comparison("notEqual", (a, b) => !looselyEqual(a, b), (a, b) => inline(a, b, "!="));
const deepStrictEqual = comparison("deepStrictEqual", (a, b) => isDeepEqual(a, b, true), (a, b) => `Expected values to be strictly deep-equal:\n\n${inspect(a)}\n\nshould equal\n\n${inspect(b)}\n`);
const notDeepStrictEqual = comparison("notDeepStrictEqual", (a, b) => !isDeepEqual(a, b, true), (a) => `Expected "actual" not to be strictly deep-equal to: ${inspect(a)}`);
const deepEqual = comparison("deepEqual", (a, b) => isDeepEqual(a, b, false), (a, b) => `Expected values to be loosely deep-equal:\n\n${inspect(a)}\n\nshould loosely deep-equal\n\n${inspect(b)}`);
const notDeepEqual = comparison("notDeepEqual", (a, b) => !isDeepEqual(a, b, false), (a) => `Expected "actual" not to be loosely deep-equal to: ${inspect(a)}`);

function fail(message = "Failed") {
  if (message instanceof Error) throw message;
  failure(message, message, { operator: "fail" });
}

function ifError(value) {
  if (value === null || value === undefined) return;
  const words = value instanceof Error ? value.message || value.name : inspect(value);
  failure(undefined, `ifError got unwanted exception: ${words}`, { actual: value, expected: null, operator: "ifError" });
}

function needString(text) {
  if (typeof text !== "string") throw invalidArgument("string", "string", text);
}

function match(text, pattern, message) {
  needString(text);
  if (!pattern.test(text)) failure(message, `The input did not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`, { actual: text, expected: pattern, operator: "match" });
}

function doesNotMatch(text, pattern, message) {
  needString(text);
  if (pattern.test(text)) failure(message, `The input was expected to not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`, { actual: text, expected: pattern, operator: "doesNotMatch" });
}

// ---- what is thrown

const NOTHING = Symbol("nothing thrown");

function thrownBy(fn) {
  if (typeof fn !== "function") throw invalidArgument("fn", "function", fn);
  try {
    fn();
    return NOTHING;
  } catch (error) {
    return error;
  }
}

async function rejectedBy(promise) {
  const given = typeof promise === "function" ? promise() : promise;
  if (typeof given?.then !== "function") throw invalidArgument("promiseFn", "Promise", given);
  try {
    await given;
    return NOTHING;
  } catch (error) {
    return error;
  }
}

// expect holds what was thrown against a class, a pattern, a check, or an object of properties.
function expect(error, wanted, message, operator) {
  if (typeof wanted === "string") [wanted, message] = [undefined, wanted];
  const what = operator === "rejects" ? "rejection" : "exception";
  if (error === NOTHING) failure(message, `Missing expected ${what}${wanted?.name ? ` (${wanted.name}).` : "."}`, { actual: undefined, expected: wanted, operator });
  if (wanted === undefined || matches(error, wanted)) return;
  if (typeof wanted === "function" && isErrorClass(wanted)) throw error;
  failure(message, `The ${what} does not match ${inspect(wanted)}:\n\n${inspect(error)}\n`, { actual: error, expected: wanted, operator });
}

const isErrorClass = (fn) => fn === Error || Error.isPrototypeOf(fn);

function matches(error, wanted) {
  if (wanted instanceof RegExp) return wanted.test(String(error));
  if (typeof wanted === "function") {
    if (wanted.prototype !== undefined && error instanceof wanted) return true;
    return !isErrorClass(wanted) && wanted.call({}, error) === true;
  }
  const keys = wanted instanceof Error ? [...Object.keys(wanted), "name", "message"] : Object.keys(wanted);
  return keys.every((key) => {
    const pattern = wanted[key];
    if (pattern instanceof RegExp && typeof error?.[key] === "string") return pattern.test(error[key]);
    return isDeepEqual(error?.[key], pattern, true);
  });
}

function throws(fn, wanted, message) { expect(thrownBy(fn), wanted, message, "throws"); }
async function rejects(promise, wanted, message) { expect(await rejectedBy(promise), wanted, message, "rejects"); }

function unwanted(error, message, what, operator) {
  if (error === NOTHING) return;
  failure(typeof message === "string" ? message : undefined, `Got unwanted ${what}.\nActual message: "${error?.message}"`, { actual: error, operator });
}

function doesNotThrow(fn, _, message) { unwanted(thrownBy(fn), message, "exception", "doesNotThrow"); }
async function doesNotReject(promise, _, message) { unwanted(await rejectedBy(promise), message, "rejection", "doesNotReject"); }

const both = { AssertionError, ok, fail, ifError, match, doesNotMatch, throws, rejects, doesNotThrow, doesNotReject, strictEqual, notStrictEqual, deepStrictEqual, notDeepStrictEqual };

function assert(...args) { ok(...args); }
export const strict = (...args) => ok(...args);
Object.assign(assert, both, { equal, notEqual, deepEqual, notDeepEqual, strict });
Object.assign(strict, both, { equal: strictEqual, notEqual: notStrictEqual, deepEqual: deepStrictEqual, notDeepEqual: notDeepStrictEqual, strict });

export {
  ok, fail, ifError, match, doesNotMatch, throws, rejects, doesNotThrow, doesNotReject, strictEqual, notStrictEqual, deepStrictEqual,
  notDeepStrictEqual, equal, notEqual, deepEqual, notDeepEqual,
};
export default assert;
