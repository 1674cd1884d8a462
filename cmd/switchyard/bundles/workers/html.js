// HTML by libraries: cheerio and htmlparser2.
//> POST /cheerio <ul id="fruits"><li class="apple">Apple</li><li class="pear">P&auml;r</li></ul><p>un<b>closed
//> POST /parser <!doctype html><a href=x>1<br/>&lt;</a><!-- c --><script>if (a<b) x()</script>
//> POST /dom <div><p>a<p>b<table><tr><td>c</table></div>
import * as cheerio from "cheerio/slim";
import { DomUtils, Parser, parseDocument } from "htmlparser2";
const routes = {
  cheerio(text) {
    const $ = cheerio.load(text);
    $("li.apple").attr("data-x", "<1>").addClass("ripe").after("<li>New</li>");
    return { html: $.html(), texts: $("li").map((_, e) => $(e).text()).get(), find: $("#fruits > :nth-child(2)").text(), has: $("b").parent().is("p"), extract: $.extract({ names: ["li"] }) };
  },
  parser(text) {
    const events = [];
    const parser = new Parser({ onopentag: (n, a) => events.push(["open", n, a]), ontext: (t) => events.push(["text", t]), onclosetag: (n, implied) => events.push(["close", n, implied]), oncomment: (c) => events.push(["comment", c]), onprocessinginstruction: (n, d) => events.push([n, d]) });
    for (let i = 0; i < text.length; i += 7) parser.write(text.slice(i, i + 7));
    parser.end();
    return events;
  },
  dom(text) { const d = parseDocument(text); return { html: DomUtils.getOuterHTML(d), p: DomUtils.getElementsByTagName("p", d).map(DomUtils.textContent) }; },
};
export default { fetch: async (request) => Response.json(routes[new URL(request.url).pathname.slice(1)](await request.text())) };
