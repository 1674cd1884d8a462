// graphql-yoga over graphql: queries, mutations, subscriptions, errors, GraphiQL.
//> POST /graphql {"query":"{ hello(name: \"Ada\") users { id name friends { name } } }"}
//> POST /graphql {"query":"mutation M($n: String!) { add(name: $n) { id name } }","variables":{"n":"Bob"}}
//> POST /graphql {"query":"{ nope }"}
//> POST /graphql {"query":"{ fail masked }"}
//> POST /graphql {"query":"{ hello("}
//> POST /graphql {"query":"{ __schema { types { name kind } } }"}
//> POST /graphql [accept: text/event-stream] {"query":"subscription { count(to: 3) }"}
//> GET /graphql?query=%7Bhello%7D
//> GET /graphql [accept: text/html]
//> PUT /graphql
//> OPTIONS /graphql [origin: https://a.example] [access-control-request-method: POST]
//> GET /health
//> GET /elsewhere
import { createSchema, createYoga } from "graphql-yoga";
import { GraphQLError } from "graphql";
const users = [{ id: 1, name: "Ada", friends: [1] }, { id: 2, name: "Alan", friends: [0] }];
const schema = createSchema({
  typeDefs: `type User { id: ID! name: String! friends: [User!]! }
    type Query { hello(name: String = "world"): String! users: [User!]! fail: Int masked: Int }
    type Mutation { add(name: String!): User! }
    type Subscription { count(to: Int!): Int! }`,
  resolvers: {
    User: { friends: (u) => u.friends.map((i) => users[i]) },
    Query: { hello: (_, { name }) => `hello ${name}`, users: () => users, fail: () => { throw new GraphQLError("failed", { extensions: { code: "X" } }); }, masked: () => { throw new Error("secret detail"); } },
    Mutation: { add: (_, { name }) => ({ id: 3, name, friends: [] }) },
    Subscription: { count: { async *subscribe(_, { to }) { for (let i = 1; i <= to; i++) yield { count: i }; } } },
  },
});
const yoga = createYoga({ schema, logging: false, fetchAPI: { Response, Request, Headers, ReadableStream } });
export default { fetch: yoga.fetch };
