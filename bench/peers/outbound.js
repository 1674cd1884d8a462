// The outbound Worker of js-dispatch-outbound.
export default {
  fetch(request) {
    const outgoing = new Request(request);
    outgoing.headers.set("x-platform", "bench");
    return fetch(outgoing);
  },
};
