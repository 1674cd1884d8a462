// The cases are constructor arguments, inputs, and what the pattern's components and the match must be. What a case
// leaves out has a default that follows from the pattern: an explicit component, an empty or inherited one, or "*".
import cases from "./data.json";

const COMPONENTS = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];
const EARLIER = {
  protocol: [], username: [], password: [], hostname: ["protocol"], port: ["protocol", "hostname"],
  pathname: ["protocol", "hostname", "port"], search: ["protocol", "hostname", "port", "pathname"],
  hash: ["protocol", "hostname", "port", "pathname", "search"],
};

const isEmpty = (c, component) => (c.exactly_empty_components ?? []).includes(component);

function wantedComponent(c, component) {
  const [init, base] = c.pattern;
  const given = typeof init === "object" ? init : {};
  if (c.expected_obj?.[component] !== undefined) return c.expected_obj[component];
  if (isEmpty(c, component)) return "";
  if (given[component]) return given[component];
  if (EARLIER[component].some((earlier) => earlier in given)) return "*";
  const baseURL = given.baseURL ?? (typeof base === "string" ? base : undefined);
  if (baseURL === undefined || component === "username" || component === "password") return "*";
  const value = new URL(baseURL)[component];
  return component === "protocol" ? value.slice(0, -1) : ["search", "hash"].includes(component) ? value.slice(1) : value;
}

function wantedMatch(c) {
  const match = { inputs: c.expected_match.inputs ?? c.inputs };
  for (const component of COMPONENTS) {
    const wanted = c.expected_match[component] ?? { input: "", groups: isEmpty(c, component) ? {} : { 0: "" } };
    match[component] = { input: wanted.input, groups: { ...wanted.groups } };
  }
  return match;
}

// show tells undefined from null, which JSON does not: a group that took no part is undefined, and null in the cases.
const show = (value) => JSON.stringify(value, (key, v) => v === undefined ? null : v && typeof v === "object" && !Array.isArray(v)
  ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => a < b ? -1 : 1)) : v);

function thrown(call) {
  try {
    call();
  } catch (error) {
    return error instanceof TypeError ? null : String(error);
  }
  return "no TypeError";
}

function problem(c) {
  if (c.expected_obj === "error") return thrown(() => new URLPattern(...c.pattern));
  const pattern = new URLPattern(...c.pattern);
  for (const component of COMPONENTS) {
    const want = wantedComponent(c, component);
    if (pattern[component] !== want) return `${component}: ${pattern[component]}, want ${want}`;
  }
  if (c.inputs === undefined) return null;
  if (c.expected_match === "error") return thrown(() => pattern.test(...c.inputs)) ?? thrown(() => pattern.exec(...c.inputs));
  if (pattern.test(...c.inputs) !== Boolean(c.expected_match)) return `test: ${!c.expected_match}`;
  const match = pattern.exec(...c.inputs);
  if (!c.expected_match) return match === null ? null : `exec: ${show(match)}, want null`;
  const want = show(wantedMatch(c));
  if (COMPONENTS.some((name) => Object.values(match[name].groups).includes(null))) return "exec: a group is null";
  return show(match) === want ? null : `exec: ${show(match)}, want ${want}`;
}

function attempt(c) {
  try {
    return problem(c);
  } catch (error) {
    return String(error);
  }
}

export default {
  fetch() {
    const failures = cases.map((c) => [c, attempt(c)]).filter(([, what]) => what !== null)
      .map(([c, what]) => `${JSON.stringify(c.pattern)} ${JSON.stringify(c.inputs ?? null)}: ${what}`);
    return Response.json({ total: cases.length, failures });
  },
};
