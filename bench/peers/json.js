// Parses 2 KB of JSON, changes a member and answers with it.
const text = JSON.stringify(Array.from({ length: 20 }, (_, i) => ({
  id: i, name: "User " + i, mail: "user" + i + "@example.com", active: i % 2 === 0, tags: ["a", "b"], score: i * 1.5,
})));

export default {
  fetch() {
    const list = JSON.parse(text);
    list[3].name = "changed";
    return new Response(JSON.stringify(list), { headers: { "content-type": "application/json" } });
  },
};
