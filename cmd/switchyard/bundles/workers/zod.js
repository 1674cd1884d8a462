// zod, which probes for eval first and does without.
//> POST /user {"name":"Ada","email":"ada@example.com","age":36,"tags":["x"],"born":"1815-12-10"}
//> POST /user {"name":"","email":"nope","age":-1.5,"tags":[1],"extra":true}
//> POST /user null
//> GET /schema
//> GET /transform
//> POST /mini {"id":"x"}
import { z } from "zod";
import * as mini from "zod/mini";
const User = z.object({
  name: z.string().min(1), email: z.email(), age: z.number().int().nonnegative().optional(), tags: z.array(z.string()).default([]),
  born: z.coerce.date().optional(), role: z.enum(["admin", "user"]).catch("user"), kind: z.discriminatedUnion("t", [z.object({ t: z.literal("a") }), z.object({ t: z.literal("b"), n: z.number() })]).optional(),
}).strict();
const routes = {
  async user(request) {
    const r = User.safeParse(await request.json());
    return r.success ? Response.json(r.data) : Response.json({ issues: r.error.issues, flat: z.flattenError(r.error), pretty: z.prettifyError(r.error) }, { status: 422 });
  },
  schema: () => Response.json(z.toJSONSchema(User, { unrepresentable: "any" })),
  transform() {
    const Pipe = z.string().transform((s) => s.length).pipe(z.number().max(5)).refine((n) => n !== 3, { error: "not three" });
    return Response.json(["ab", "abc", "abcdef"].map((s) => Pipe.safeParse(s)));
  },
  mini: async (request) => Response.json(mini.safeParse(mini.object({ id: mini.string().check(mini.minLength(2)) }), await request.json())),
};
export default { fetch: (request) => routes[new URL(request.url).pathname.slice(1)](request) };
