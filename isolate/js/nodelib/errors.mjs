// Errors as Node makes them: a code, and its words.

export const coded = (Class, code, message) => {
  const error = new Class(message);
  error.code = code;
  return error;
};

function received(value) {
  if (value === null || value === undefined) return `Received ${value}`;
  if (typeof value === "function") return `Received function ${value.name}`;
  if (typeof value === "object") return `Received an instance of ${value.constructor?.name ?? "Object"}`;
  const shown = typeof value === "string" ? `'${value.length > 28 ? `${value.slice(0, 25)}...` : value}'` : String(value);
  return `Received type ${typeof value} (${shown}${typeof value === "bigint" ? "n" : ""})`;
}

const kinds = (expected) => {
  const primitive = /^[a-z]/.test(expected);
  return primitive ? `of type ${expected}` : `an instance of ${expected}`;
};

export function invalidArgument(name, expected, value) {
  const what = name.includes(" ") ? `The ${name}` : `The "${name}" ${name.includes(".") ? "property" : "argument"}`;
  return coded(TypeError, "ERR_INVALID_ARG_TYPE", `${what} must be ${kinds(expected)}. ${received(value)}`);
}

export const unsupported = (what, instead = "") => coded(Error, "ERR_METHOD_NOT_IMPLEMENTED", `${what} is not implemented${instead && `: use ${instead}`}`);
