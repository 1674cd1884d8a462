// Rendering on the server: react-dom/server.edge streamed with Suspense, preact.
//> GET /string
//> GET /stream
//> GET /static
//> GET /preact
//> GET /error
import React, { Suspense, createContext, use, useContext, useId, useState } from "react";
import { renderToReadableStream, renderToString, renderToStaticMarkup } from "react-dom/server.edge";
import { h } from "preact";
import { render } from "preact-render-to-string";
const e = React.createElement, Theme = createContext("light");
function Counter({ start }) { const [n] = useState(start), id = useId(), theme = useContext(Theme); return e("button", { id, className: theme, onClick() {}, style: { color: "red", marginTop: 4 } }, "Count ", n, " <&>"); }
function Late({ promise }) { return e("p", null, use(promise)); }
function Broken() { throw new Error("render failed"); }
const page = e(Theme.Provider, { value: "dark" }, e("html", null, e("head", null, e("title", null, "T")), e("body", null, e(Counter, { start: 3 }))));
const routes = {
  string: () => new Response(renderToString(page)),
  static: () => new Response(renderToStaticMarkup(e("ul", null, [1, 2, 3].map((i) => e("li", { key: i, "data-i": i }, i))))),
  async stream() {
    const promise = new Promise((r) => setTimeout(r, 10, "late text"));
    const stream = await renderToReadableStream(e("main", null, e(Suspense, { fallback: e("i", null, "wait") }, e(Late, { promise }))), { onError() {} });
    return new Response(stream, { headers: { "content-type": "text/html" } });
  },
  preact: () => new Response(render(h("div", { class: "a", style: { top: 1 } }, h("b", null, "x<y"), [1, null, true, "t"]))),
  error: async () => { try { await renderToReadableStream(e(Broken)); } catch (x) { return new Response(`${x.name}: ${x.message}`, { status: 500 }); } },
};
export default { fetch: (request) => routes[new URL(request.url).pathname.slice(1)]() };
