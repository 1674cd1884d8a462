// Markdown and templates: marked, mustache, handlebars precompiled and not.
//> POST /marked # Title\n\nSome *emphasis*, `code`, a [link](https://example.com "t") and ~~no~~.\n\n- [x] one\n- two\n  1. nested\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\n```js\nconst x = "<b>";\n```\n\n> quote\n\n<div>raw</div>
//> GET /marked-extended
//> GET /mustache
//> GET /mustache-error
//> GET /handlebars-compile
//> GET /handlebars-runtime
import { marked, Marked } from "marked";
import Mustache from "mustache";
import Handlebars from "handlebars/dist/cjs/handlebars.js";
const view = { name: "Chris", company: "<b>GitHub</b>", list: [{ n: 1 }, { n: 2 }], none: [], upper: () => (text, render) => render(text).toUpperCase() };
const precompiled = { compiler: [8, ">= 4.3.0"], main(container, depth0, helpers, partials, data) { const lookup = container.lookupProperty; return "Hi " + container.escapeExpression(container.lambda(lookup(depth0, "name"), depth0)) + "!"; }, useData: true };
const routes = {
  marked: async (r) => marked.parse((await r.text()).replaceAll("\\n", "\n")),
  "marked-extended": () => new Marked({ renderer: { heading({ tokens, depth }) { return `<h${depth} id="x">${this.parser.parseInline(tokens)}</h${depth}>`; } }, gfm: true, breaks: true }).parse("## Hello *w*\na\nb"),
  mustache: () => Mustache.render("{{name}} {{company}} {{{company}}} {{#list}}<{{n}}>{{/list}}{{^none}}none{{/none}} {{#upper}}x {{name}}{{/upper}} {{> p}}", view, { p: "partial {{name}}" }),
  "mustache-error": () => Mustache.render("{{#open}}", view),
  "handlebars-compile": () => Handlebars.compile("Hi {{name}}!")(view),
  "handlebars-runtime": () => Handlebars.template(precompiled)({ name: "<Ada>" }),
};
export default {
  async fetch(request) {
    try { return new Response(await routes[new URL(request.url).pathname.slice(1)](request), { headers: { "content-type": "text/html" } }); } catch (e) { return new Response(`${e.name}: ${e.message}`, { status: 500 }); }
  },
};
