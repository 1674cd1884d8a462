// lodash whole, in both its packages, template() included: that one compiles code from strings.
//> GET /collections
//> GET /strings
//> GET /deep
//> GET /functions
//> GET /template
import _ from "lodash";
import * as es from "lodash-es";
const users = [{ user: "barney", age: 36, tags: ["a", "b"] }, { user: "fred", age: 40, tags: [] }, { user: "pebbles", age: 1, tags: ["b"] }];
const routes = {
  collections: () => ({ group: _.groupBy(users, (u) => u.age > 30), order: _.orderBy(users, ["age"], ["desc"]), key: _.keyBy(users, "user"), chunk: _.chunk(_.range(7), 3), zip: _.zipObject(["a", "b"], [1, 2]), chain: _(users).filter("tags.length").map("user").value(), union: es.unionBy([{ x: 1 }], [{ x: 2 }, { x: 1 }], "x"), partition: _.partition(users, { age: 1 }), sorted: _.sortedUniq([1, 1, 2]), sum: _.sumBy(users, "age"), reduce: _.transform({ a: 1, b: 2, c: 1 }, (r, v, k) => (r[v] ??= []).push(k), {}) }),
  strings: () => [_.camelCase("Foo Bar-baz"), _.kebabCase("fooBar"), _.snakeCase("Foo Bar"), _.startCase("--foo-bar--"), _.deburr("déjà vu"), _.escape("<a & 'b'>"), _.pad("abc", 8, "_-"), _.truncate("hi-diddly-ho there, neighborino", { length: 24, separator: /,? +/ }), _.words("fred, barney, & pebbles"), es.upperFirst("ünïcode"), _.toArray("a👩‍👧b")],
  deep: () => {
    const source = { a: [{ b: { c: 3 } }], d: new Date(0), r: /x/gi, m: new Map([[1, { z: 1 }]]), s: new Set([1]), t: new Uint8Array([1, 2]) };
    const copy = _.cloneDeep(source);
    return { equal: _.isEqual(source, copy), same: source.m === copy.m, get: _.get(source, "a[0].b.c"), set: _.set({}, "x[0].y.z", 5), merge: _.merge({ a: [{ x: 1 }] }, { a: [{ y: 2 }] }), pick: _.pickBy({ a: 1, b: "2" }, _.isNumber), omit: es.omit({ a: 1, b: 2 }, ["a"]), invert: _.invert({ a: 1 }), types: [_.isPlainObject(Object.create(null)), _.isTypedArray(source.t), _.isArguments((function () { return arguments; })()), _.isNative(Array.prototype.push), _.isError(new TypeError("x")), _.isBuffer(source.t)] };
  },
  functions: async () => {
    const calls = [], debounced = _.debounce((x) => calls.push(x), 5);
    debounced(1); debounced(2);
    await new Promise((r) => setTimeout(r, 30));
    return { calls, curry: _.curry((a, b, c) => [a, b, c])(1)(2, 3), memo: _.memoize((x) => x * 2)(4), flow: es.flow([Math.abs, Math.sqrt])(-16), attempt: _.attempt(() => { throw new RangeError("no"); }).message, once: _.once(() => 7)(), throttle: typeof _.throttle(() => 1, 1) };
  },
  template: () => _.template("hello <%= user %>!")({ user: "fred" }),
};
export default {
  async fetch(request) {
    try { return Response.json(await routes[new URL(request.url).pathname.slice(1)]()); } catch (e) { return new Response(`${e.constructor.name} ${e.name}: ${e.message} ${e instanceof EvalError}`, { status: 500 }); }
  },
};
