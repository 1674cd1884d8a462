addEventListener("fetch", (event) => event.respondWith(answer()));

globalThis.GLOBAL = { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false };
globalThis.location = {
  href: "http://web-platform.test" + /*PATH*/ + /*SEARCH*/, origin: "http://web-platform.test", protocol: "http:",
  host: "web-platform.test", hostname: "web-platform.test", port: "", pathname: /*PATH*/, search: /*SEARCH*/, hash: "",
};

// answer has what ended in time: tests that hang must not hide the others.
function answer() {
  const results = [];
  return new Promise((resolve) => {
    const respond = (error) => resolve(Response.json({ error, results }));
    const fail = (error) => respond(String(error) + "\n" + (error && error.stack));
    try {
      run((test) => results.push([test.status, test.name, test.message]), () => respond(null));
    } catch (error) {
      setTimeout(fail, 0, error);
    }
    setTimeout(respond, /*TIMEOUT*/, "timeout");
  });
}

function run(onresult, oncompletion) {
  const resources = /*RESOURCES*/;
  const network = globalThis.fetch;
  const fetch = (input, init) => Object.hasOwn(resources, input)
    ? Promise.resolve(new Response(resources[input])) : network(input, init);
/*HARNESS*/
  add_result_callback(onresult);
  add_completion_callback(oncompletion);
  setup({ explicit_done: true });
  (function () {
    /*STRICT*/
/*TESTS*/
  })();
  done();
}
