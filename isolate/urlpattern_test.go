package isolate

import "testing"

// TestURLPattern: the web-platform tests' table runs elsewhere; this is what users do with it, and what is refused.
func TestURLPattern(t *testing.T) {
	const tools = `const fault = (...args) => { try { return new URLPattern(...args), "taken"; } catch (e) { return e.constructor.name + ": " + e.message; } };
`
	for _, s := range []struct{ name, body, want string }{
		{"a route", `const p = new URLPattern({ pathname: "/books/:id(\\d+)/:page?" }), { groups } = p.exec("https://a.test/books/12").pathname;
			return Response.json([p.pathname, p.hostname, p.hasRegExpGroups, groups.id, "page" in groups, String(groups.page), p.test("https://a.test/books/x"), p.test({ pathname: "/books/1/2" })])`,
			`200 ["/books/:id(\\d+)/:page?","*",true,"12",true,"undefined",false,true]`},
		{"a whole URL", `const p = new URLPattern("https://:sub.example.com/*\\?q=:q#top"), m = p.exec("https://www.example.com/a/b?q=1#top");
			return Response.json([m.hostname.groups, m.pathname.groups, m.search.groups, m.inputs, p.exec("https://example.com/"), p.hasRegExpGroups])`,
			`200 [{"sub":"www"},{"0":"a/b"},{"q":"1"},["https://www.example.com/a/b?q=1#top"],null,false]`},
		{"a base URL and options", `const p = new URLPattern("/Foo", "https://a.test/x?y", { ignoreCase: true });
			return Response.json([p.protocol, p.hostname, p.pathname, p.search, p.test("https://a.test/fOO"), p.test("/foo", "https://a.test"),
				new URLPattern({ pathname: "/a" }, { ignoreCase: true }).test({ pathname: "/A" }), new URLPattern().test("http://any.test")])`,
			`200 ["https","a.test","/Foo","*",true,true,true,true]`},
		{"expressions are JavaScript's", `const matches = (pathname, path) => new URLPattern({ pathname }).test({ pathname: path });
			return Response.json([matches("/((?!admin)[^/]*)", "/admin"), matches("/([[a-z]--[aeiou]]+)", "/xyz"), matches("/([[a-z]--[aeiou]]+)", "/xya"), matches("/(foo-bar)", "/foo-bar")])`,
			`200 [false,true,false,true]`},
		{"names are only names", `const { groups } = new URLPattern({ pathname: "/:__proto__" }).exec({ pathname: "/x" }).pathname;
			return Response.json([Object.keys(groups), Object.getPrototypeOf(groups) === Object.prototype])`, `200 [["__proto__"],true]`},
		{"no base URL", `return new Response(fault("/a"))`, "200 TypeError: URLPattern: a pattern that is no whole URL needs a base URL."},
		{"a name twice", `return new Response(fault({ pathname: "/:a/:a" }))`, `200 TypeError: URLPattern: the name "a" is there twice.`},
		{"an open group", `return new Response(fault({ pathname: "/(" }))`, "200 TypeError: URLPattern: a group is not closed at character 1 of the pattern."},
		{"an open brace", `return new Response(fault({ pathname: "/{a" }))`, `200 TypeError: URLPattern: "" is not expected at character 3 of the pattern.`},
		{"no expression", `return new Response(fault({ pathname: "/([a)" }).split(":")[1])`, `200  URLPattern`},
		{"no port", `return new Response(fault({ port: "x" }))`, `200 TypeError: URLPattern: "x" is no port.`},
		{"an init and a base URL", `return new Response(fault({}, "https://a.test"))`, "200 TypeError: URLPattern: a base URL is given beside an init."},
		{"a long pattern", `return new Response(fault({ pathname: "a".repeat(70_000) }))`, "200 TypeError: URLPattern: a pattern has at most 65536 characters."},
		{"a bad base URL", `return new Response(fault({ baseURL: "no" }))`, `200 TypeError: URLPattern: "no" is no base URL.`},
		{"an expression without end", `return new Response(new URLPattern({ pathname: "/((?:a+)+)b" }).test({ pathname: "/" + "a".repeat(40) }))`, "error: CPU"},
	} {
		t.Run(s.name, func(t *testing.T) {
			wants(t, newTestPool(t, jsSpec(tools+handler(s.body))), &fakeHost{}, testRequest("GET", "http://a.test/", ""), s.want)
		})
	}
}

// At module scope is where routers make their patterns.
func TestURLPatternAtModuleScope(t *testing.T) {
	const source = `
const routes = [[new URLPattern({ pathname: "/users/:id" }), ({ id }) => "user " + id], [new URLPattern({ pathname: "*" }), () => "none"]];
export default { fetch(request) {
	for (const [pattern, handle] of routes) {
		const match = pattern.exec(request.url);
		if (match) return new Response(handle(match.pathname.groups));
	}
} }`
	p := newTestPool(t, jsSpec(source))
	wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/users/7?x", ""), "200 user 7")
	wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/other", ""), "200 none")
}
