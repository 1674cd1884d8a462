export default {
  fetch: (request) => new Response(WHO + request.url.slice(-12) + "\n"),
};
