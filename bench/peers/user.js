// The user Worker of js-dispatch-outbound: one fetch of the origin, whose answer is read.
export default {
  async fetch() {
    const response = await fetch("http://origin.example/");
    return new Response(await response.text());
  },
};
