// Ids and passwords: uuid, nanoid, ulid, bcryptjs. What is random is shown by its shape.
//> GET /uuid
//> GET /nanoid
//> GET /ulid
//> GET /bcrypt
import * as uuid from "uuid";
import { customAlphabet, nanoid } from "nanoid";
import { decodeTime, monotonicFactory, ulid } from "ulid";
import bcrypt from "bcryptjs";
const routes = {
  uuid: () => [uuid.v5("hello.example.com", uuid.v5.DNS), uuid.v3("x", uuid.v3.URL), uuid.validate(uuid.v4()), uuid.version(uuid.v7()), uuid.v4({ random: new Uint8Array(16).fill(7) }), uuid.v7({ msecs: 1e12, seq: 5, random: new Uint8Array(16).fill(9) }), uuid.v1({ node: [1, 2, 3, 4, 5, 6], clockseq: 0x1234, msecs: 1e12, nsecs: 5678 }), [...uuid.parse(uuid.NIL)], uuid.v6ToV1(uuid.v1ToV6(uuid.v5("a", uuid.v5.DNS)))],
  nanoid: () => [/^[\w-]{21}$/.test(nanoid()), /^[ab]{5}$/.test(customAlphabet("ab", 5)()), nanoid() === nanoid()],
  ulid: () => { const next = monotonicFactory(), a = next(1e12), b = next(1e12); return [a < b, decodeTime(a), ulid().length, a.slice(0, 10)]; },
  async bcrypt() {
    const hash = bcrypt.hashSync("secret", "$2b$04$abcdefghijklmnopqrstuu");
    return [hash, await bcrypt.compare("secret", hash), await bcrypt.compare("other", hash), (await bcrypt.genSalt(4)).slice(0, 7)];
  },
};
export default { fetch: async (request) => Response.json(await routes[new URL(request.url).pathname.slice(1)]()) };
