// Renders a page of 5 KB: a table whose every cell is escaped.
const rows = Array.from({ length: 40 }, (_, i) => ({ name: `User <${i}>`, mail: `user${i}@example.com`, note: "a & b, \"quoted\"" }));
const special = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text) => text.replace(/[&<>"]/g, (c) => special[c]);
const row = (r) => `<tr><td>${escape(r.name)}</td><td>${escape(r.mail)}</td><td>${escape(r.note)}</td></tr>\n`;

export default {
  fetch() {
    const page = `<!doctype html>\n<title>Users</title>\n<table>\n${rows.map(row).join("")}</table>\n`;
    return new Response(page, { headers: { "content-type": "text/html" } });
  },
};
