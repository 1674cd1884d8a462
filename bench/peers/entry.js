// The seed's dispatch Worker as workerd can have it: a service binding instead of a namespace.
export default {
  async fetch(request, env) {
    const name = new URL(request.url).hostname.split(".")[0];
    return env.USER.fetch(request);
  },
};
