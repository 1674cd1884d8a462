// Files come first; what none of them is for comes here.
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/time") return Response.json({ now: new Date().toISOString() });
    if (pathname === "/api/shout") {
      const page = await env.ASSETS.fetch(new URL("/", request.url));
      return new Response((await page.text()).toUpperCase(), page);
    }
    return new Response("customer-d has no such page\n", { status: 404 });
  },
};
