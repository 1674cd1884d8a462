// The URL class's setters: the basic URL parser with a state override, and serialising.
#include <string.h>

#include "text.h"
#include "urlencode.h"
#include "urlhost.h"
#include "urlpath.h"

static bool has_credentials(const UrlParts *u) { return u->username.len > 0 || u->password.len > 0; }

static bool is_file(const UrlParts *u) { return slice_is(u->scheme, "file"); }

static bool takes_credentials(const UrlParts *u) { return u->has_host && u->host.len > 0 && !is_file(u); }

void parts_set_protocol(UrlParts *u, Arena *a, Slice value) {
  value = strip_inside(a, value);
  char *with_colon = arena_take(a, value.len + 1);
  if (value.len > 0) memcpy(with_colon, value.data, value.len);
  with_colon[value.len] = ':';
  Slice scheme;
  if (!scheme_of((Slice){with_colon, value.len + 1}, a, &scheme)) return;
  if (is_special(scheme) != is_special(u->scheme)) return;
  if (slice_is(scheme, "file") && (has_credentials(u) || u->port >= 0)) return;
  if (is_file(u) && u->host.len == 0) return;
  u->scheme = scheme;
  if (u->port == default_port(scheme)) u->port = -1;
}

void parts_set_username(UrlParts *u, Arena *a, Slice value) {
  if (takes_credentials(u)) u->username = encode(a, value, SET_USERINFO);
}

void parts_set_password(UrlParts *u, Arena *a, Slice value) {
  if (takes_credentials(u)) u->password = encode(a, value, SET_USERINFO);
}

// ---- host and port

// digits_port reads the digits that value begins with. -2: none, or too large.
static int32_t digits_port(Slice s) {
  int32_t port = -2;
  for (uint32_t i = 0; i < s.len && is_digit(s.data[i]); i++) {
    port = (port < 0 ? 0 : port * 10) + (s.data[i] - '0');
    if (port > 65535) return -2;
  }
  return port;
}

static void put_port(UrlParts *u, int32_t port) {
  if (port >= 0) u->port = port == default_port(u->scheme) ? -1 : port;
}

static uint32_t host_length(const UrlParts *u, Slice s, bool stop_at_colon) {
  bool special = is_special(u->scheme), brackets = false;
  uint32_t n = 0;
  for (; n < s.len; n++) {
    char c = s.data[n];
    if (c == '/' || c == '?' || c == '#' || (special && c == '\\')) break;
    if (c == ':' && stop_at_colon && !brackets) break;
    if (c == '[') brackets = true;
    if (c == ']') brackets = false;
  }
  return n;
}

static void set_file_host(UrlParts *u, Arena *a, Slice value) {
  Slice host = {0}, name = {value.data, host_length(u, value, false)};
  if (name.len > 0 && !host_parse(name, false, a, &host)) return;
  u->host = slice_is(host, "localhost") ? (Slice){0} : host;
  u->has_host = true;
}

static void set_host(UrlParts *u, Arena *a, Slice value, bool with_port) {
  if (u->opaque) return;
  value = strip_inside(a, value);
  if (is_file(u)) {
    set_file_host(u, a, value);
    return;
  }
  Slice host, name = {value.data, host_length(u, value, true)};
  bool colon = name.len < value.len && value.data[name.len] == ':';
  if (colon && (name.len == 0 || !with_port)) return;
  if (name.len == 0 && (is_special(u->scheme) || has_credentials(u) || u->port >= 0)) return;
  if (!host_parse(name, !is_special(u->scheme), a, &host)) return;
  u->host = host;
  u->has_host = true;
  if (colon) put_port(u, digits_port((Slice){value.data + name.len + 1, value.len - name.len - 1}));
}

void parts_set_host(UrlParts *u, Arena *a, Slice value) { set_host(u, a, value, true); }

void parts_set_hostname(UrlParts *u, Arena *a, Slice value) { set_host(u, a, value, false); }

void parts_set_port(UrlParts *u, Arena *a, Slice value) {
  if (!takes_credentials(u)) return;
  if (value.len == 0)
    u->port = -1;
  else
    put_port(u, digits_port(strip_inside(a, value)));
}

// ---- path, query, fragment

void parts_set_pathname(UrlParts *u, Arena *a, Slice value) {
  if (u->opaque) return;
  value = strip_inside(a, value);
  bool special = is_special(u->scheme);
  u->path = (Slice){0};
  if (value.len == 0 && !special) {
    if (!u->has_host) u->path = arena_copy(a, (Slice){"/", 1});
    return;
  }
  if (value.len > 0 && (value.data[0] == '/' || (special && value.data[0] == '\\'))) value.data++, value.len--;
  u->path = path_append(a, u, value);
}

static Slice without(Slice s, char first) {
  return s.len > 0 && s.data[0] == first ? (Slice){s.data + 1, s.len - 1} : s;
}

void parts_set_search(UrlParts *u, Arena *a, Slice value) {
  Slice query = strip_inside(a, without(value, '?'));
  bool special = is_special(u->scheme);
  parts_put_query(u, encode(a, query, special ? SET_SPECIAL_QUERY : SET_QUERY), value.len > 0);
}

void parts_set_hash(UrlParts *u, Arena *a, Slice value) {
  u->has_fragment = value.len > 0;
  u->fragment = encode(a, strip_inside(a, without(value, '#')), SET_FRAGMENT);
}

void parts_put_query(UrlParts *u, Slice query, bool has) {
  u->has_query = has;
  u->query = has ? query : (Slice){0};
}

// ---- serialising

// Without a host, a path that begins with two slashes would be read as one.
static bool needs_guard(const UrlParts *u) {
  return !u->has_host && !u->opaque && u->path.len >= 2 && u->path.data[0] == '/' && u->path.data[1] == '/';
}

uint32_t parts_length(const UrlParts *u) {
  return u->scheme.len + 3 + u->username.len + u->password.len + 2 + u->host.len + 6 + 2 + u->path.len + 1 +
         u->query.len + 1 + u->fragment.len;
}

static char *put(char *at, Slice *s) {
  if (s->len > 0) memcpy(at, s->data, s->len);
  s->data = at;
  return at + s->len;
}

static char *put_literal(char *at, const char *s) {
  while (*s) *at++ = *s++;
  return at;
}

static char *put_number(char *at, uint32_t n) {
  if (n >= 10) at = put_number(at, n / 10);
  *at = '0' + n % 10;
  return at + 1;
}

static char *put_authority(UrlParts *u, char *at) {
  at = put_literal(at, "//");
  bool credentials = has_credentials(u);
  at = put(at, &u->username);
  if (u->password.len > 0) *at++ = ':';
  at = put(at, &u->password);
  if (credentials) *at++ = '@';
  at = put(at, &u->host);
  if (u->port >= 0) {
    *at++ = ':';
    at = put_number(at, u->port);
  }
  return at;
}

uint32_t parts_write(UrlParts *u, char *to) {
  char *at = put(to, &u->scheme);
  *at++ = ':';
  if (u->has_host) at = put_authority(u, at);
  if (needs_guard(u)) at = put_literal(at, "/.");
  at = put(at, &u->path);
  if (u->has_query) *at++ = '?';
  at = put(at, &u->query);
  if (u->has_fragment) *at++ = '#';
  return put(at, &u->fragment) - to;
}
