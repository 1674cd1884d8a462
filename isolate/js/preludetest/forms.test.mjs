import { stories } from "./engine.mjs";

// parsed is the entries of a multipart body with the boundary B; files as [name, file name, type, text].
const parsed = `async function parsed(text, type = "multipart/form-data; boundary=B") {
  const form = sw.hooks.consumeAs(new TextEncoder().encode(text), "formData", type);
  return Promise.all([...form].map(async ([name, value]) => (typeof value === "string" ? [name, value] : [name, value.name, value.type, await value.text()])));
}`;

const part = (head, content) => `--B\\r\\nContent-Disposition: form-data; ${head}\\r\\n\\r\\n${content}\\r\\n`;
const refused = (name, text, message, type) => [name, `${parsed} return parsed(\`${text}\`${type ? `, "${type}"` : ""}).catch(String);`, `TypeError: ${message}`];

stories([
  ["Blob: parts, size, type, slices", `
    const blob = new Blob(["ab", new Uint8Array([99]), new Blob(["d"]), 5], { type: "Text/Plain" });
    const slice = blob.slice(1, -1, "x/y");
    return [blob.size, blob.type, await blob.text(), await slice.text(), slice.type, slice.size, (await blob.bytes()).length, new Blob().size];
  `, [5, "text/plain", "abcd5", "bcd", "x/y", 3, 5, 0]],
  ["a blob's bytes cannot be changed from outside", `
    const bytes = new Uint8Array([97]);
    const blob = new Blob([bytes]);
    bytes[0] = 98;
    (await blob.bytes())[0] = 99;
    new Uint8Array(await blob.arrayBuffer())[0] = 100;
    const [body] = sw.hooks.extractBody(blob);
    body[0] = 101;
    return blob.text();
  `, "a"],
  ["blob.stream() comes in pieces", `
    const reader = new Blob([new Uint8Array(150_000)]).stream().getReader();
    const sizes = [];
    for (let r; !(r = await reader.read()).done; ) sizes.push(r.value.byteLength);
    return sizes;
  `, [65_536, 65_536, 18_928]],
  ["File", `
    const file = new File(["x"], "a.txt", { type: "text/plain", lastModified: 5 });
    return [file.name, file.lastModified, file.type, file instanceof Blob, new File([], "b").lastModified, structuredClone(file).name];
  `, ["a.txt", 5, "text/plain", true, 1000, "a.txt"]],
  ["FormData: the list", `
    const form = new FormData();
    form.append("a", 1); form.append("b", "x"); form.append("a", "2"); form.append("f", new Blob(["z"]), "z.txt");
    const before = [...form.keys()];
    form.set("a", "3"); form.delete("b");
    return [before, form.getAll("a"), form.get("none"), form.has("f"), form.get("f").name, [...form].length, String(form)];
  `, [["a", "b", "a", "f"], ["3"], null, true, "z.txt", 2, "[object FormData]"]],
  ["multipart, there and back", `${parsed}
    const form = new FormData();
    form.append("te\\"xt\\n", "one\\ntwo"); form.append("file", new File(["\\0\\r\\n--B"], 'q".bin', { type: "a/b" })); form.append("", "");
    const [bytes, type] = sw.hooks.extractBody(form);
    return parsed(new TextDecoder().decode(bytes), type);
  `, [["te\"xt\r\n", "one\r\ntwo"], ["file", "q\".bin", "a/b", "\0\r\n--B"], ["", ""]]],
  ["multipart from elsewhere", `${parsed} return parsed("${part(`name=plain`, "v")}${part(`name=\\"e\\"; filename=\\"\\"\\r\\nX-Other: 1`, "")}--B--");`,
    [["plain", "v"], ["e", ""]]],
  ["an empty form", `${parsed} return parsed("--B--\\r\\n");`, []],
  ["an urlencoded form", `${parsed} return parsed("a=1&b=x+y%21&a=2", "application/x-www-form-urlencoded; charset=utf-8");`, [["a", "1"], ["b", "x y!"], ["a", "2"]]],
  refused("no boundary", "--B--", "No boundary string in Content-Type header. The multipart/form-data MIME type requires a boundary parameter, e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4.", "multipart/form-data"),
  refused("another boundary", "--C--", "No initial boundary string (or you have a truncated message)."),
  ["cut off", `${parsed} return (await parsed("${part(`name=a`, "v")}").catch(String));`,
    "TypeError: No subsequent boundary string after multipart message."],
  refused("a part without a name", `--B\\r\\nX: y\\r\\n\\r\\nv\\r\\n--B--`, "No valid Content-Disposition header found in FormData part."),
  refused("another type", "x", "Unrecognized Content-Type header value. FormData can only parse the following MIME types: multipart/form-data, application/x-www-form-urlencoded", "text/plain"),
  ["10,000 parts are the ceiling", `${parsed} return parsed("${part(`name=a`, "v")}".repeat(10_001) + "--B--").catch(String);`,
    "TypeError: Could not parse the body as multipart/form-data: it has more than 10000 parts"],
  ["a part's headers have a ceiling", `${parsed} return (await parsed("--B\\r\\nX: " + "y".repeat(17_000) + "\\r\\n\\r\\n--B--").catch(String)).slice(11);`,
    "No multipart message header termination found."],
  ["bodies of all kinds", `
    const stream = new ReadableStream();
    const [same, none] = sw.hooks.extractBody(stream);
    const [bytes, type] = sw.hooks.extractBody(new Blob(["b"], { type: "a/b" }));
    const blob = sw.hooks.consumeAs(new Uint8Array([97]), "blob", "X/Y");
    return [same === stream, none, new TextDecoder().decode(bytes), type, sw.hooks.extractBody(5), blob.type, await blob.text()];
  `, [true, null, "b", "a/b", ["5", "text/plain;charset=UTF-8"], "x/y", "a"]],
]);
