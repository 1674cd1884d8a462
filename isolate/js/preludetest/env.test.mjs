import { stories } from "./engine.mjs";

const env = `const env = sw.hooks.setEnv(JSON.stringify([
  { name: "GREETING", type: "plain_text", text: "hi" }, { name: "KEY", type: "secret_text", text: "s3" },
  { name: "CONFIG", type: "json", json: { a: [1] } }, { name: "AUTH", type: "service", index: 1 },
  { name: "DISPATCHER", type: "dispatch_namespace", index: 0 },
]));`;

const fails = (call, message) => [`${call} throws at once`, `${env} try { ${call}; } catch (error) { return String(error); }`, message];

stories([
  ["values", `${env} return [Object.keys(env), env.GREETING, env.KEY, env.CONFIG];`,
    [["GREETING", "KEY", "CONFIG", "AUTH", "DISPATCHER"], "hi", "s3", { a: [1] }]],
  ["a service binding fetches through its index", `${env} await env.AUTH.fetch("http://auth/x"); await fetch("http://out/"); return mock.calls;`,
    [["fetch", 1, "http://auth/x", null, null], ["fetch", -1, "http://out/", null, null]]],
  ["a dispatch namespace names the script", `${env} await env.DISPATCHER.get("customer").fetch(new Request("http://c/")); return mock.calls;`,
    [["fetch", 0, "http://c/", "customer", null]]],
  ["parameters lie over env for one call", `${env}
    const laid = sw.hooks.layEnv(env, '{"GREETING":"over","customer":"x"}');
    return [laid.GREETING, laid.customer, laid.KEY, env.GREETING, "customer" in env, sw.hooks.layEnv(env, "") === env];
  `, ["over", "x", "s3", "hi", false, true]],
  ["cloudflare:workers keeps one env", `
    const { env: exported, WorkerEntrypoint, waitUntil } = sw.hooks.builtinModules["cloudflare:workers"];
    ${env}
    const first = exported.GREETING;
    sw.hooks.setEnv('[{"name":"OTHER","type":"plain_text","text":"o"}]');
    class Entry extends WorkerEntrypoint {}
    const entry = new Entry("ctx", "env");
    waitUntil(Promise.resolve());
    return [first, Object.keys(exported), entry.ctx, entry.env, mock.calls];
  `, ["hi", ["OTHER"], "ctx", "env", [["hold"]]]],
  fails(`sw.hooks.setEnv('[{"name":"X","type":"magic"}]')`, "TypeError: env: binding 'X' is of the unknown type 'magic'"),
]);
