// The cases are hosts and what they are in ASCII; null for those that are no host.
import cases from "./data.json";

// A host in a URL ends before these, so that they are percent-encoded on their way to the host parser.
const inHost = (text) => text.replace(/[:/?#\\]/g, encodeURIComponent);

function problem({ input, output }) {
  try {
    const url = new URL(`https://${inHost(input)}/x`);
    return url.href === `https://${output}/x` && url.hostname === output ? null : `parses as ${url.href}`;
  } catch (error) {
    return output === null && error instanceof TypeError ? null : String(error);
  }
}

export default {
  fetch() {
    const tried = cases.filter((c) => typeof c === "object" && c.input !== "");
    const failures = tried.map((c) => [c, problem(c)]).filter(([, what]) => what !== null)
      .map(([c, what]) => `${JSON.stringify(c.input)}: ${what}, want ${c.output}`);
    return Response.json({ total: tried.length, failures });
  },
};
