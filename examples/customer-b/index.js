// A customer that calls the world outside, in the older service-worker syntax.
addEventListener("fetch", (event) => event.respondWith(handle(event.request)));

async function handle(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/blocked") return fetch("http://blocked.example/");
  const started = Date.now();
  const answers = await Promise.all(["/one", "/two", "/three"].map((path) => fetch(ORIGIN + path).then((r) => r.json())));
  return Response.json({ customer: "customer-b", waited: Date.now() - started, answers });
}
