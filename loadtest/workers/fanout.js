// Asks the origin several times at once, and checks that each answer is its own.
export default {
  async fetch(request, env) {
    const stamp = WHO + request.url.slice(-12);
    const one = async (i) => {
      const path = "/" + encodeURIComponent(stamp) + "/" + i;
      const answer = await fetch(env.ORIGIN + path);
      const text = await answer.text();
      if (answer.ok && text !== path) throw new Error("asked for " + path + ", was answered " + text);
      return answer.ok;
    };
    const good = await Promise.all(Array.from({ length: PARAMETER }, (_, i) => one(i)));
    return new Response(stamp + "\n", { status: good.every(Boolean) ? 200 : 502 });
  },
};
