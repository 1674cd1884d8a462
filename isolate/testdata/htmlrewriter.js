// Stories of HTMLRewriter: one request runs the one its path names and answers with what came of
// it, or all their names. The same Worker runs on workerd, which htmlrewriter.json was recorded from
// (record.mjs).

const pieces = (text, n) => { const b = typeof text === "string" ? new TextEncoder().encode(text) : text; let i = 0;
  return new ReadableStream({ pull(c) { if (i >= b.length) return c.close(); c.enqueue(b.slice(i, i += n)); } }); };
async function run(html, setup, {n = 1e9, headers = {"content-type": "text/html"}} = {}) {
  const log = []; const rw = new HTMLRewriter(); 
  try { setup(rw, (...a) => log.push(a.join(" ")));
  const res = rw.transform(new Response(pieces(html, n), {headers}));
  const out = await res.text(); return out + (log.length ? " || " + log.join(" | ") : ""); } catch (e) { return `${e.name}: ${e.message}` + (log.length ? " || " + log.join(" | ") : ""); }
}
const S = {};
const all = (rw, log) => {
  const said = {};
  // What a text is cut into is nobody's promise.
  const text = (kind) => (t) => { said[kind] = (said[kind] ?? "") + t.text; if (t.lastInTextNode) { log(kind, JSON.stringify(said[kind])); said[kind] = ""; } };
  rw.on("*", {
    element(e) {
      log("E", e.tagName, JSON.stringify([...e.attributes]), e.namespaceURI.slice(-6));
      try { e.onEndTag((t) => log("/E", t.name)); } catch (x) { log(x.message); }
    },
    comments(c) { log("C", JSON.stringify(c.text)); },
    text: text("T"),
  }).onDocument({
    doctype(d) { log("D", d.name, d.publicId, d.systemId); },
    comments(c) { log("DC", c.text); },
    text: text("DT"),
    end() { log("END"); },
  });
};
const docs = ["Hello <b class=x>wor&amp;ld</b>!", "<!DOCTYPE html><p>a<p>b<br><img src=x/>c</p></div>", "<div><p>text</div>after", "<DIV A=1 a=2 B='x\"y' c=\"&quot;\" d e = f/>x</DIV >", "<svg><path/><title>a<b>c</b></title><![CDATA[x<y]]></svg><title>a<b>c</title>", "<script>if (a<b) '</scr'+<!-- <script> x </script> --></script>z", "<!-- a -- b --><!x><!--><!---><!--x--!>y<?php ?></ z></>", "<div", "<div a", "<!-- abc", "text <", "a</di", "<p>x</p><script>abc", "<textarea>a</textarea>", "<select><script>x</script></select>", "<select><xmp>x</xmp></select>","<table><template><style>a</style></template></table>", "<a/><b/>x</b><![CDATA[x]]>", "<ul><li>1<li>2</ul>", "", "<!DOCTYPE html PUBLIC \"-//W3C//DTD\" 'sys'><!doctype><!DOCTYPE x SYSTEM \"\">", "é<p title=é>\u{1F600}</p>", "<frameset><frame><noframes>x</noframes></frameset>", "<plaintext>a<b>", "<math><mi><p>x</mi><annotation-xml encoding='text/html'><div/></annotation-xml></math><svg><foreignObject><div/>x</foreignObject><p>out", "<noscript><p>x</p></noscript><iframe><p></iframe>", "<a b=c/ d>", "<a =x>", "<a b=\"c\"d>", "<p>a\r\nb\0c</p>"];
docs.forEach((d, i) => { S["doc " + d] = () => run(d, all); S["one " + d] = () => run(d, all, {n: 1}); });
S.nomatch = async () => JSON.stringify([...new Uint8Array(await new HTMLRewriter().on("x", {element(){}}).transform(new Response(new Uint8Array([60,112,62,255,97,60,47,112,62]))).arrayBuffer())]);
for (const sel of ["a:hover", "a::before", "a + b", "a ~ b", "a, b", "", "a[", "a:nth-child(2n+1)", "a:nth-child(odd)", "a:nth-child(-n+3)", ":not(a,b)", ":not(:not(a))", "a:nth-last-child(1)", "a:last-child", "a:is(b)", "a:empty", "a:root", "svg|a", "*|*", "a:nth-of-type(even)", "a:first-of-type", ":has(a)", "a[b=c i]", "a[b=c s]", "a[b='c']", "a[b!=c]", "a > > b", "> a", "a:nth-child(2 of b)", "a:not()", "A.B#C", "1a", ".1a", "a\\:b", ":where(a)", "a /* c */ b", "[b=1]"]) S["sel " + sel] = () => { new HTMLRewriter().on(sel, {}); return "ok"; };
const body = "<div id=a class='x Y'><p type=Text data-v='en-US'>1</p><p>2</p><a href=http>3</a><p>4</p></div><p>5</p>";
for (const sel of ["p:nth-child(2n+1)", "p:nth-of-type(2)", "p:first-child", "p:first-of-type", ":not(p)", ":not(p,a)", "[type=text]", "[type=text i]", ".x", ".y", ".Y", "#A", "#a", "DIV", "[data-v|=en]", "[data-v|=en-us]", "[TYPE]", "div p", "div > p", "[type^=Te]", "[type$=xt]", "[type*=ex]", "[class~=Y]", "[type*='']", "p:nth-child(odd):not(:first-child)", "*", "div > *:not(p)", "a, p", "[type^='']"]) S["match " + sel] = () => run(body, (rw, log) => rw.on(sel, {element(e){ log(e.tagName, [...e.attributes].join(";")); }}));
const attempt = (log, name, fn) => { try { const r = fn(); log(name, String(r)); } catch (e) { log(name, e.name + ": " + e.message); } };
const on = (name, html, sel, element) => {
  for (const n of [1e9, 1, 3]) S[`${name}, by ${n}`] = () => run(html, (rw, log) => rw.on(sel, { element(e) { return element(e, log); } }), { n });
};
on("remove implied", "<div>a<p>b</div>c<i>d</i>", "p", (e) => { e.remove(); });
on("keep implied", "<div>a<p>b</div>c<i>d</i>", "p", (e) => { e.removeAndKeepContent(); });
on("inner implied", "<div>a<p>b</div>c<i>d</i>", "p", (e) => { e.setInnerContent("I"); });
on("after implied", "<div>a<p>b</div>c<i>d</i>", "p", (e) => { e.after("A"); e.append("P"); });
on("rename implied", "<div>a<p>b</div>c<i>d</i>", "p", (e) => { e.tagName = "q"; });
on("replace implied", "<div>a<p>b</div>c<i>d</i>", "p", (e) => { e.replace("R"); });
on("after eof", "<div>a<p>b", "p", (e) => { e.after("A"); e.append("P"); });
on("remove eof", "<div>a<p>b", "p", (e) => { e.remove(); });
on("order", "<p>x</p>", "p", (e) => { for (const m of ["before","prepend","append","after"]) for (const i of [1,2]) e[m](m[0]+m[1]+i); });
on("html", "<p>x</p>", "p", (e) => { e.before("<a>&\"'", {html:true}); e.prepend("<a>&\"'"); e.after("<a>", {html: false}); e.append("&amp;", {}); });
on("replace", "<p>x</p>", "p", (e) => { e.replace("R1"); e.replace("<R2>", {html: true}); e.before("b"); e.after("a"); });
on("replace inner calls", "<p>x<i>y</i></p>z", "p,i", (e, log) => { log(e.tagName, e.removed); e.replace("R"); e.append("ap"); e.prepend("pr"); e.setInnerContent("in"); log(e.removed); });
on("remove", "<p>x<i>y</i></p>z", "p,i", (e, log) => { log(e.tagName); e.remove(); e.before("b"); e.after("a"); e.append("ap"); e.setInnerContent("in"); });
on("keep", "<p>x<i>y</i></p>z", "p", (e, log) => { e.removeAndKeepContent(); e.append("ap"); e.prepend("pr"); e.before("b"); e.after("a"); log(e.removed) });
on("set inner", "<p>x<i>y</i></p>z", "p", (e, log) => { e.prepend("pr"); e.append("ap"); e.setInnerContent("<in>", {html: true}); e.prepend("pr2"); e.append("ap2"); });
on("rename", "<p CLASS=a  b>x</P >", "p", (e, log) => { e.tagName = "Div"; log(e.tagName); });
on("void", "a<br>b", "br", (e, log) => { e.before("b"); e.after("a"); e.prepend("p"); e.append("ap"); attempt(log, "set", () => e.setInnerContent("in")); });
on("void remove", "a<br>b", "br", (e, log) => { e.after("A"); e.remove(); });
on("void replace", "a<br/>b", "br", (e, log) => { e.replace("A"); });
on("void keep", "a<br/>b", "br", (e, log) => { e.removeAndKeepContent("A"); });
on("void attr", "a<br/>b<img src=x / >", "*", (e, log) => { e.setAttribute("a", "1") });
on("svg attr", "<svg><path d=1/><g/></svg>", "path,g", (e, log) => { e.setAttribute("a", "1"); e.after("x"); e.append("y") });
on("attrs", "<p A=1 b='x\"y' c d = e a=2>x</p>", "p", (e, log) => { log(e.getAttribute("A"), e.getAttribute("B"), JSON.stringify(e.getAttribute("c")), e.getAttribute("zz"), e.hasAttribute("D"), e.hasAttribute("q")); });
on("attr set", "<p A=1 b='x\"y' c d = e a=2>x</p>", "p", (e, log) => { e.setAttribute("A", "n\"<>&'"); e.setAttribute("New", "v"); e.removeAttribute("B"); log(JSON.stringify([...e.attributes])); });
on("attr untouched", "<p A=1 b='x\"y'   c d = e>x</p>", "p", (e, log) => { e.setAttribute("z", 5); });
on("attr remove missing", "<p  A=1>x</p>", "p", (e, log) => { e.removeAttribute("z"); });
on("attr remove last", "<p  A=1 >x</p>", "p", (e, log) => { e.removeAttribute("a"); });
on("attr chain", "<p>x</p>", "p", (e, log) => { for (const m of [() => e.setAttribute("a","b"), () => e.removeAttribute("a"), () => e.before("x"), () => e.remove(), () => e.replace("q"), () => e.setInnerContent("x")]) log(m() === e); });
on("bad", "<p>x</p>", "p", (e, log) => { for (const [n, v] of [["",1],["a b",1],["a=b",1],["a>",1],["a/",1], ["a\"",1], ["a",null],["a",undefined], ["\u00e9", "1"]]) attempt(log, JSON.stringify(n), () => e.setAttribute(n, v) === e);
  for (const n of ["", "1a", "a b", "a>", "a/b", "\u00e9", "a\u00e9"]) attempt(log, n, () => { e.tagName = n; return e.tagName; });
  for (const f of [() => e.getAttribute(), () => e.getAttribute(""), () => e.before(), () => e.before(undefined), () => e.before(null), () => e.before(1), () => e.before({}), () => e.onEndTag(), () => e.onEndTag(1), () => e.before("x", 1), ()=> e.setAttribute("a")]) attempt(log, String(f), f); });
on("two end together", "<div>a<p>b</div>c", "*", (e) => { e.append("[" + e.tagName); e.after(e.tagName + "]"); });
on("one of two is renamed", "<div>a<p>b</div>c", "*", (e) => { if (e.tagName === "p") e.tagName = "q"; e.append("[" + e.tagName); });
on("the outer is kept", "<div>a<p>b</div>c", "*", (e) => { if (e.tagName === "div") e.removeAndKeepContent(); else e.append("!"); });
on("the inner is removed", "<ul><li>1<li>2</ul>z", "li", (e) => { e.remove(); });
on("hidden in hidden", "<div>a<p>b<i>c</i>d</p>e</div>f", "*", (e) => { if (e.tagName !== "i") e.setInnerContent(e.tagName); });
on("async between", "<a>1</a><b>2</b><a>3</a>", "*", async (e) => { await 0; e.append(e.tagName); await 0; e.before("."); });
on("inserted is not matched", "<p></p>", "p", (e) => { e.append("<p></p>", { html: true }); });
on("case", "<DiV><sPan></SPAN></dIv>", "div > span", (e) => { e.setInnerContent("x"); });
on("quotes", "<a href='x'y=\"z\">", "a", (e, log) => { log(JSON.stringify([...e.attributes])); e.setAttribute("href", "'\"&"); });
on("nested same", "<b>1<b>2</b>3</b>4", "b", (e) => { e.after("!"); e.append("?"); });
on("not closed", "<b>1<i>2</b>3</i>4", "i, b", (e) => { e.after("!"); e.append("?"); });
on("many selectors", "<a><b><c></c></b></a>", "a c, b > c, a > c, c", (e, log) => { log(e.tagName); });
S.comment = () => run("a<!--c-->b<!--d--><!--e-->", (rw, log) => { let i = 0; rw.onDocument({comments(c) { log(c.text, c.removed); if (i++ == 0) { c.before("<b>"); c.after("<i>", {html: true}); c.after("2"); c.before("3"); c.text = "new"; log(c.text); attempt(log, "bad", () => c.text = "a-->b"); } else if (i == 2) { c.remove(); c.before("B"); log(c.removed); } else c.replace("R"); }}); });
S.text = () => run("<p>one</p><p>two</p><p>three</p>", (rw, log) => { rw.on("p", {text(t) { if (t.text === "one") { t.before("<b>"); t.after("A", {html:true}); } if (t.text === "two") t.replace("<R>"); if (t.text === "three") { t.remove(); log(t.removed); } if (t.lastInTextNode) t.after("."); }}); });
S.doctype = () => run("<!DOCTYPE html>x", (rw, log) => { rw.onDocument({doctype(d) { log(d.remove, d.before, d.removed, d.publicId === null, d.systemId === null); }}); });
S.end = () => run("x", (rw, log) => rw.onDocument({end(e) { log(e.append("<1>") === e); e.append("<2>", {html: true}); }}));
S["end empty"] = () => run("", (rw, log) => rw.onDocument({end(e) { e.append("<1>"); }}));
S.endtag = () => run("<p>x</p>y<p>z</P >", (rw, log) => { let i = 0; rw.on("p", {element(e) { e.onEndTag((t) => { log(t.name); if (i++ === 0) { t.before("b"); t.after("a"); t.before("b2"); t.after("a2"); t.name = "Q"; log(t.name); } else t.remove(); }); e.onEndTag(() => log("second")); e.append("ap"); e.after("af"); }}); });
S["endtag rename both"] = () => run("<p>x</p>", (rw, log) => rw.on("p", {element(e) { e.tagName = "div"; e.onEndTag((t) => { log(t.name); }); }}));
S.order = () => run("<p>x<!--c--></p>", (rw, log) => { rw.onDocument({text() { log("d1"); }, comments() { log("dc1"); }}).on("p", {element() { log("e1"); }, text() { log("t1"); }, comments() { log("c1"); }}).on("*", {element() { log("e2"); }, text() { log("t2"); }, comments() {log("c2");}}).onDocument({text() { log("d2"); }}); });
S["endtag order"] = () => run("<p>x</p>", (rw, log) => rw.on("p", {element(e) { e.onEndTag(() => log("1")); e.append("1"); e.after("A1"); }}).on("p", {element(e) { e.onEndTag(() => log("2")); e.append("2"); e.after("A2");}}));
S.stale = async () => { let el, at, tx; const a = await run("<p a=1>x</p>", (rw, log) => rw.on("p", {element(e) { el = e; at = e.attributes; }, text(t) { tx ??= t; attempt(log, "in text", () => el.tagName); }})); const log = []; const l = (...x) => log.push(x.join(" ")); attempt(l, "tag", () => el.tagName); attempt(l, "before", () => el.before("x")); attempt(l, "attrs", () => at.next()); attempt(l, "text", () => tx.text); return a + " ## " + log.join(" | "); };
S.async = () => run("<p>x</p>", (rw, log) => rw.on("p", {async element(e) { await scheduler.wait(5); e.before("late"); log("e"); e.onEndTag(async (t) => { await scheduler.wait(1); t.before("E"); }); }, async text(t) { await 0; log("t"); t.after("!"); }}).onDocument({async end(e) { await 0; e.append("end"); }}));
S["stale async"] = () => run("<p>x</p>", (rw, log) => rw.on("p", {element(e) { (async () => { await 0; await 0; await scheduler.wait(1); attempt(log, "late", () => e.before("x")); })(); }}).on("p", {async text() { await scheduler.wait(5); }}));
S["throw"] = () => run("<p>x</p>", (rw, log) => rw.on("p", {element(e) { throw new RangeError("boo"); }}));
S["reject"] = () => run("<p>x</p>", (rw, log) => rw.on("p", {async text(e) { throw new RangeError("boo"); }}));
S["this"] = () => run("<p>x</p>", (rw, log) => rw.on("p", new class A { element() { log(this instanceof A); } text() { log(this.constructor.name); } }));
S["late handler"] = () => run("<p>x</p>", (rw, log) => { const h = {}; rw.on("p", h); h.element = () => log("late"); });
S["bad handlers"] = () => run("<p>x</p>", (rw, log) => { for (const h of [undefined, null, 1, {element: 1}, {element: null}]) attempt(log, JSON.stringify(h), () => rw.on("p", h) === rw); attempt(log, "on0", () => rw.on()); attempt(log, "doc", () => rw.onDocument()); attempt(log, "sel", () => rw.on(1, {})); });
S.transforms = async () => { const log = []; const l = (...x) => log.push(x.join(" ")); const rw = new HTMLRewriter().on("p", {element(e) { e.before("B"); }}); for (const x of [undefined, "str", {}, new Request("http://a/")]) attempt(l, Object.prototype.toString.call(x), () => rw.transform(x));
  const r0 = new Response(null, {status: 204, headers: {a: "b"}}); const t0 = rw.transform(r0); l(t0 === r0, t0.status, t0.body); const src = new Response("<p>", {status: 201, statusText: "Yo", headers: {"content-length": "3", "content-type": "text/html", x: "y", etag: "q"}}); const t = rw.transform(src); l(t === src, t.status, t.statusText, t.headers.get("x"), src.bodyUsed, await t.text()); attempt(l, "again", () => rw.transform(src)); const b = new Response("<p>"); await b.text(); attempt(l, "used", () => rw.transform(b)); const c = new Response("<p>"); c.body.getReader(); attempt(l, "locked", () => rw.transform(c)); const rr = rw.transform(new Response("<p>")); l(rr.headers.get("content-type"), await rr.text()); return log.join(" | "); };
S["stream content"] = () => run("<p>x</p>", (rw, log) => rw.on("p", {element(e) { e.before(new Response("<r>").body, {html: true}); e.prepend(new Response("<s>")); attempt(log, "blob", () => e.after(new Blob(["q"]))); e.append(new ReadableStream({pull(c) { c.enqueue(new TextEncoder().encode("rs")); c.close(); }})); }}));
S["stream text"] = () => run("<p>x</p>", (rw, log) => rw.on("p", {text(t) { attempt(log, "t", () => t.before(new Response("r"))); }}));
for (const cs of ["utf-8", "iso-8859-1", "windows-1251", "shift_jis", "utf-16le", "nonsense", "gbk"]) S["charset " + cs] = async () => { const log = []; try { const r = new HTMLRewriter().on("p", {element(e) { log.push(e.getAttribute("a")); e.append("\u0416\u00e9\u65e5"); }, text(t) { log.push(t.text); }}).transform(new Response(new Uint8Array([60,112,32,97,61,0xe9,62,0x83,0x41,0xe9,60,47,112,62]), {headers: {"content-type": "text/html; charset=" + cs}})); return JSON.stringify([(Array.from(new Uint8Array(await r.arrayBuffer())).map(x => x.toString(16)).join(" ")), log[0], log.slice(1).join("")]); } catch (e) { return e.name + ": " + e.message; } };
for (const kb of [1000, 3000]) S["big attr " + kb] = async () => String((await run("<p a=" + "x".repeat(kb * 1024) + ">", (rw) => rw.on("p", {element(e) {}}), {n: 65536})).length);

export default {
  async fetch(request) {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    if (name === "") return Response.json(Object.keys(S));
    try {
      return new Response(await S[name]());
    } catch (e) {
      return new Response(`${e.name}: ${e.message}`);
    }
  },
};
