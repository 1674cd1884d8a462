// Calls everything of one release of the TypeScript SDK that a platform's deploy code uses, and
// prints for each call whether it worked: node sdk.mjs PACKAGE, with CLOUDFLARE_BASE_URL,
// CLOUDFLARE_API_TOKEN and ACCOUNT in the environment.
const name = process.argv[2];
const { default: Cloudflare, toFile } = await import(name);
const { VERSION } = await import(`${name}/version`);
const major = Number(VERSION.split('.')[0]);
const client = new Cloudflare({ apiToken: process.env.CLOUDFLARE_API_TOKEN, baseURL: process.env.CLOUDFLARE_BASE_URL, maxRetries: 0 });
const account_id = process.env.ACCOUNT;
const ns = `js-${major}`, s = 'worker';

const out = (what, said) => console.log(`${what}: ${said}`);
// call runs one operation; want looks at the result.
async function call(what, run, want = () => true) {
  try {
    const result = await run();
    out(what, want(result) ? 'works' : `answers ${JSON.stringify(result)}`);
    return result;
  } catch (e) {
    const code = e.errors?.[0]?.code ?? e.error?.errors?.[0]?.code;
    out(what, code ? `${e.status} ${code} ${(e.errors ?? e.error.errors)[0].message}` : String(e.message).split('\n')[0]);
  }
}
const list = async (page) => { const all = []; for await (const item of page) all.push(item); return all; };
const file = (text, filename, type = 'application/javascript+module') => toFile(Buffer.from(text), filename, { type });
const source = (text) => `export default { fetch() { return new Response(${JSON.stringify(text)}) } }`;

// Up to release 6 the namespace, then the script, are arguments of their own.
const p = client.workersForPlatforms.dispatch.namespaces;
const at = (object, method, ...rest) => {
  const params = rest.pop() ?? {};
  if (major < 7) return object[method](ns, s, ...rest, { account_id, ...params });
  return rest.length
    ? object[method](...rest, { account_id, dispatch_namespace: ns, script_name: s, ...params })
    : object[method](s, { account_id, dispatch_namespace: ns, ...params });
};
const metadata = (more = {}) => ({ main_module: 'worker.mjs', compatibility_date: '2025-01-01', bindings: [{ type: 'plain_text', name: 'A', text: 'b' }], tags: ['c1', 'pro'], ...more });
const upload = async (text, more) => ({ metadata: metadata(more), files: [await file(source(text), 'worker.mjs')] });

await call('user.tokens.verify', () => client.user.tokens.verify(), (r) => r.status === 'active');
await call('user.get', () => client.user.get(), (r) => r.id);
await call('accounts.list', () => list(client.accounts.list()), (r) => r.length === 1 && r[0].id === account_id);
await call('memberships.list', () => list(client.memberships.list()), (r) => r.length === 1);
await call('zones.list', () => list(client.zones.list({ name: 'example.com' })), (r) => r.length === 1);

await call('namespaces.create', () => p.create({ account_id, name: ns }), (r) => r.namespace_name === ns);
await call('namespaces.list', () => list(p.list({ account_id })), (r) => r.some((n) => n.namespace_name === ns));
await call('namespaces.get', () => p.get(ns, { account_id }), (r) => r.namespace_id);
await call('scripts.update', async () => at(p.scripts, 'update', await upload('one')), (r) => r.id === s);
await call('scripts.get', () => at(p.scripts, 'get'), (r) => r.script.tags.length === 2);
await call('content.get', async () => (await at(p.scripts.content, 'get')).text(), (r) => r.includes('one'));
await call('content.update', async () => at(p.scripts.content, 'update', { metadata: { main_module: 'worker.mjs' }, files: [await file(source('two'), 'worker.mjs')] }), (r) => r.id === s);
await call('settings.get', () => at(p.scripts.settings, 'get'), (r) => r.bindings[0].name === 'A');
await call('settings.edit', () => at(p.scripts.settings, 'edit', { settings: { tags: ['z'] } }), (r) => r.tags.join() === 'z');
await call('bindings.get', () => list(at(p.scripts.bindings, 'get')), (r) => r.length === 1);
await call('secrets.update', () => at(p.scripts.secrets, 'update', { name: 'SEC', text: 'v', type: 'secret_text' }), (r) => r.name === 'SEC' && !r.text);
await call('secrets.list', () => list(at(p.scripts.secrets, 'list')), (r) => r.length === 1);
await call('secrets.get', () => at(p.scripts.secrets, 'get', 'SEC', {}), (r) => r.type === 'secret_text');
if (p.scripts.secrets.bulkUpdate) await call('secrets.bulkUpdate', () => at(p.scripts.secrets, 'bulkUpdate', { secrets: { B: { name: 'B', text: 'x', type: 'secret_text' }, SEC: null } }), (r) => r.B);
else if (p.scripts.secrets.delete) await call('secrets.delete', () => at(p.scripts.secrets, 'delete', 'SEC', {}));
await call('tags.update', () => list(at(p.scripts.tags, 'update', { body: ['x', 'y'] })), (r) => r.join() === 'x,y');
await call('tags.list', () => list(at(p.scripts.tags, 'list')), (r) => r.length === 2);
await call('tags.delete', () => at(p.scripts.tags, 'delete', 'x', {}));
await call('assetUpload.create', () => at(p.scripts.assetUpload, 'create', { manifest: { '/a.txt': { hash: '0123456789abcdef0123456789abcdef', size: 3 } } }), (r) => r.jwt && r.buckets.length === 1);
await call('scripts list by tag (raw)', () => client.get(`/accounts/${account_id}/workers/dispatch/namespaces/${ns}/scripts?tags=y:yes`), (r) => r.result.length === 1);
await call('scripts.delete', () => at(p.scripts, 'delete', { force: true }));

const w = client.workers, plain = `plain-${major}`;
await call('workers.scripts.update', async () => w.scripts.update(plain, { account_id, ...(await upload('plain')) }), (r) => r.id === plain);
await call('workers.scripts.list', () => list(w.scripts.list({ account_id })), (r) => r.some((x) => x.id === plain));
await call('workers.scripts.get', () => w.scripts.get(plain, { account_id }), (r) => r);
await call('workers.scripts.settings.get', () => w.scripts.settings.get(plain, { account_id }), (r) => r);
await call('workers.scripts.settings.edit', () => w.scripts.settings.edit(plain, { account_id, tags: ['t'] }), (r) => r);
await call('workers.scripts.scriptAndVersionSettings.get', () => w.scripts.scriptAndVersionSettings.get(plain, { account_id }), (r) => r.bindings.length === 1);
await call('workers.scripts.secrets.update', () => w.scripts.secrets.update(plain, { account_id, name: 'S', text: 'x', type: 'secret_text' }), (r) => r.name === 'S');
await call('workers.scripts.secrets.list', () => list(w.scripts.secrets.list(plain, { account_id })), (r) => r.length === 1);
await call('workers.scripts.schedules.update', () => w.scripts.schedules.update(plain, { account_id, body: [{ cron: '*/5 * * * *' }] }), (r) => r.schedules.length === 1);
await call('workers.scripts.schedules.get', () => w.scripts.schedules.get(plain, { account_id }), (r) => r.schedules[0].created_on);
await call('workers.scripts.subdomain.create', () => w.scripts.subdomain.create(plain, { account_id, enabled: true }), (r) => r.enabled === true);
await call('workers.scripts.subdomain.get', () => w.scripts.subdomain.get(plain, { account_id }), (r) => r.enabled === true);
const versions = await call('workers.scripts.versions.list', () => list(w.scripts.versions.list(plain, { account_id })), (r) => r.length >= 1);
const versionID = versions?.[0]?.id ?? versions?.[0]?.items?.[0].id;
await call('workers.scripts.versions.get', () => (major < 7 ? w.scripts.versions.get(plain, versionID, { account_id }) : w.scripts.versions.get(versionID, { account_id, script_name: plain })), (r) => r.resources.script.etag);
await call('workers.scripts.versions.create', async () => w.scripts.versions.create(plain, { account_id, metadata: { main_module: 'worker.mjs' }, files: [await file(source('v2'), 'worker.mjs')] }), (r) => r.id);
const deployments = w.scripts.deployments;
const deployed = await call('workers.scripts.deployments.list', async () => {
  if (major < 7) return (await (deployments.list ?? deployments.get).call(deployments, plain, { account_id })).deployments;
  return (await list(deployments.list(plain, { account_id }))).flatMap((d) => d.deployments ?? [d]);
}, (r) => r.length >= 1);
await call('workers.scripts.deployments.create', () => w.scripts.deployments.create(plain, { account_id, strategy: 'percentage', versions: deployed[0].versions }), (r) => r.id || r.deployments);
await call('workers.scripts.content.get', async () => (await w.scripts.content.get(plain, { account_id })).text(), (r) => r.includes('plain'));
await call('workers.domains.update', () => w.domains.update({ account_id, environment: 'production', hostname: `js${major}.example.com`, service: plain, zone_id: 'x' }), (r) => r.service === plain);
const domains = await call('workers.domains.list', () => list(w.domains.list({ account_id })), (r) => r.length >= 1);
await call('workers.domains.get', () => w.domains.get(domains[0].id, { account_id }), (r) => r.hostname);
await call('workers.domains.delete', () => w.domains.delete(domains[0].id, { account_id }));
const zone_id = (await list(client.zones.list({ name: 'example.com' })))[0].id;
const route = await call('workers.routes.create', () => w.routes.create({ zone_id, pattern: `r${major}.example.com/*`, script: plain }), (r) => r.id);
await call('workers.routes.list', () => list(w.routes.list({ zone_id })), (r) => r.length >= 1);
await call('workers.routes.get', () => w.routes.get(route.id, { zone_id }), (r) => r.script === plain);
await call('workers.routes.update', () => w.routes.update(route.id, { zone_id, pattern: `q${major}.example.com/*`, script: plain }), (r) => r.pattern.startsWith('q'));
await call('workers.routes.delete', () => w.routes.delete(route.id, { zone_id }));
await call('workers.subdomains.get', () => w.subdomains.get({ account_id }), (r) => r.subdomain);
if (w.beta) {
  const made = await call('workers.beta.workers.create', () => w.beta.workers.create({ account_id, name: `beta-${major}` }), (r) => r.id);
  await call('workers.beta.workers.list', () => list(w.beta.workers.list({ account_id })), (r) => r.length >= 2);
  await call('workers.beta.workers.get', () => w.beta.workers.get(made.id, { account_id }), (r) => r.name === `beta-${major}`);
  await call('workers.beta.workers.edit', () => w.beta.workers.edit(made.id, { account_id, tags: ['e'] }), (r) => r.tags[0] === 'e');
  await call('workers.beta.workers.update', () => w.beta.workers.update(made.id, { account_id, name: `beta-${major}`, subdomain: { enabled: true } }), (r) => r.subdomain.enabled);
  const v = await call('workers.beta.workers.versions.create', () => w.beta.workers.versions.create(made.id, { account_id, main_module: 'w.mjs', compatibility_date: '2025-01-01', modules: [{ name: 'w.mjs', content_type: 'application/javascript+module', content_base64: Buffer.from(source('beta')).toString('base64') }] }), (r) => r.number === 1);
  await call('workers.beta.workers.versions.list', () => list(w.beta.workers.versions.list(made.id, { account_id })), (r) => r.length === 1);
  await call('workers.beta.workers.versions.get', () => (major < 7 ? w.beta.workers.versions.get(made.id, v.id, { account_id, include: 'modules' }) : w.beta.workers.versions.get(v.id, { account_id, worker_id: made.id, include: 'modules' })), (r) => r.modules.length === 1);
  await call('workers.beta.workers.delete', () => w.beta.workers.delete(made.id, { account_id }));
}
const tail = await call('workers.scripts.tail.create', () => w.scripts.tail.create(plain, { account_id, body: {} }), (r) => r.url.includes('ws'));
await call('workers.scripts.tail.get', () => w.scripts.tail.get(plain, { account_id }), (r) => [r].flat().some((t) => t.id === tail.id));
await call('workers.scripts.tail.delete', () => (major < 7 ? w.scripts.tail.delete(plain, tail.id, { account_id }) : w.scripts.tail.delete(tail.id, { account_id, script_name: plain })));
await call('workers.scripts.delete', () => w.scripts.delete(plain, { account_id, force: true }));
await call('namespaces.delete', () => p.delete(ns, { account_id }));

const kv = client.kv.namespaces;
const pairs = await call('kv.namespaces.create', () => kv.create({ account_id, title: `pairs-${major}` }), (r) => r.id && r.title === `pairs-${major}`);
await call('kv.namespaces.list', () => list(kv.list({ account_id })), (r) => r.some((n) => n.id === pairs.id));
await call('kv.namespaces.get', () => kv.get(pairs.id, { account_id }), (r) => r.supports_url_encoding === true);
await call('kv.namespaces.update', () => kv.update(pairs.id, { account_id, title: `renamed-${major}` }));
// Up to release 6 the namespace is an argument of its own here too.
const pair = (object, method, key, params = {}) => (major < 7 ? object[method](pairs.id, key, { account_id, ...params }) : object[method](key, { account_id, namespace_id: pairs.id, ...params }));
await call('kv.values.update', () => pair(kv.values, 'update', 'a/b c', { value: 'one', metadata: JSON.stringify({ m: 1 }) }));
await call('kv.values.get', async () => (await pair(kv.values, 'get', 'a/b c')).text(), (r) => r === 'one');
await call('kv.metadata.get', () => pair(kv.metadata, 'get', 'a/b c'), (r) => JSON.stringify(r).includes('m'));
await call('kv.bulkUpdate', () => kv.bulkUpdate(pairs.id, { account_id, body: [{ key: 'x', value: '1' }, { key: 'y', value: 'Mg==', base64: true }] }), (r) => r.successful_key_count === 2);
await call('kv.bulkGet', () => kv.bulkGet(pairs.id, { account_id, keys: ['x', 'y', 'z'] }), (r) => r.values.y === '2');
await call('kv.keys.list', () => list(kv.keys.list(pairs.id, { account_id, prefix: '' })), (r) => r.length === 3);
await call('kv.bulkDelete', () => kv.bulkDelete(pairs.id, { account_id, body: ['x', 'y'] }), (r) => r.successful_key_count === 2);
await call('kv.values.delete', () => pair(kv.values, 'delete', 'a/b c'));
await call('kv.namespaces.delete', () => kv.delete(pairs.id, { account_id }));

const policies = [{ effect: 'allow', permission_groups: [{ id: 'e086da7e2179491d91ee5f35b3ca210a' }], resources: { [`com.cloudflare.api.account.${account_id}`]: '*' } }];
await call('user.tokens.permissionGroups.list', () => list(client.user.tokens.permissionGroups.list()), (r) => r.length > 5);
const token = await call('user.tokens.create', () => client.user.tokens.create({ name: 'sdk', policies }), (r) => r.value);
await call('user.tokens.list', () => list(client.user.tokens.list()), (r) => r.length >= 1);
await call('user.tokens.get', () => client.user.tokens.get(token.id), (r) => r.policies.length === 1);
await call('user.tokens.update', () => client.user.tokens.update(token.id, { name: 'sdk2', policies, status: 'active' }), (r) => r.name === 'sdk2');
await call('user.tokens.value.update', () => client.user.tokens.value.update(token.id, { body: {} }), (r) => typeof r === 'string' && r !== token.value);
await call('user.tokens.delete', () => client.user.tokens.delete(token.id), (r) => r.id === token.id);
if (client.accounts.tokens) await call('accounts.tokens.list', () => list(client.accounts.tokens.list({ account_id })));
await call('auditLogs.list', () => list(client.auditLogs.list({ account_id, per_page: 500 })), (r) => r.length > 10);
