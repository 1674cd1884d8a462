export default {
  async fetch(request) {
    return new Response("Hello " + new URL(request.url).pathname);
  },
};
