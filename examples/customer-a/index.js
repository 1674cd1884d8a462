// A customer that answers by itself: a page, a bit of JSON, an echo.
import { page } from "./page.js";

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/":
        return new Response(page(env.GREETING), { headers: { "content-type": "text/html; charset=utf-8" } });
      case "/api":
        return Response.json({ customer: "customer-a", method: request.method, query: Object.fromEntries(url.searchParams) });
      case "/echo":
        return new Response(request.body, { headers: { "content-type": request.headers.get("content-type") ?? "text/plain" } });
      case "/spin":
        while (true); // ended by the CPU limit; nobody else notices
    }
    return new Response("not found\n", { status: 404 });
  },
};
