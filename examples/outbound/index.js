// Every fetch() of every customer's Worker arrives here before it leaves the platform.
const BLOCKED = new Set(["blocked.example"]);

export default {
  async fetch(request) {
    const url = new URL(request.url);
    console.log(`outbound: ${request.method} ${url.href}`);
    if (BLOCKED.has(url.hostname)) {
      return new Response(`${url.hostname} is blocked by this platform\n`, { status: 403 });
    }
    const outgoing = new Request(request);
    outgoing.headers.set("x-platform", "switchyard-demo");
    return fetch(outgoing);
  },
};
