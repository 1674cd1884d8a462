// The basic URL parser. The standard describes a state machine over code points; here each state
// that does something is a function over what is left of the input, which is cut at '#' first,
// since every state ends there.
#include "text.h"
#include "urlencode.h"
#include "urlhost.h"
#include "urlpath.h"

static const struct {
  char scheme[6];
  uint32_t len;
  int32_t port;
} specials[] = {{"https", 5, 443}, {"http", 4, 80}, {"ws", 2, 80}, {"wss", 3, 443}, {"ftp", 3, 21}, {"file", 4, -1}};

static int special_index(Slice scheme) {
  for (int i = 0; i < (int)(sizeof specials / sizeof specials[0]); i++)
    if (scheme.len == specials[i].len && memcmp(scheme.data, specials[i].scheme, scheme.len) == 0) return i;
  return -1;
}

bool is_special(Slice scheme) { return special_index(scheme) >= 0; }

int32_t default_port(Slice scheme) {
  int i = special_index(scheme);
  return i < 0 ? -1 : specials[i].port;
}

typedef struct {
  const char *at, *end;
  const UrlParts *base;
  UrlParts *url;
  Arena *arena;
  bool special;
} Parser;

static bool more(const Parser *p) { return p->at < p->end; }
static bool at_slash(const Parser *p) { return more(p) && (*p->at == '/' || (p->special && *p->at == '\\')); }
static Slice rest(const Parser *p) { return (Slice){p->at, p->end - p->at}; }

static bool is_file(const UrlParts *url) { return slice_is(url->scheme, "file"); }

// ---- query and path

static void read_query(Parser *p) {
  if (!more(p)) return;
  p->url->has_query = true;
  p->url->query = encode(p->arena, (Slice){p->at + 1, p->end - p->at - 1}, p->special ? SET_SPECIAL_QUERY : SET_QUERY);
}

// read_path reads segments up to '?', behind the path that is there already.
static void read_path(Parser *p) {
  const char *query = memchr(p->at, '?', p->end - p->at);
  const char *end = query ? query : p->end;
  p->url->path = path_append(p->arena, p->url, (Slice){p->at, end - p->at});
  p->at = end;
  read_query(p);
}

// path start: a special URL has a path, the others only when something is left of the input.
static void start_path(Parser *p) {
  if (p->special) {
    if (at_slash(p)) p->at++;
    read_path(p);
  } else if (more(p) && *p->at == '?') {
    read_query(p);
  } else if (more(p)) {
    if (*p->at == '/') p->at++;
    read_path(p);
  }
}

// A space at the end of an opaque path would vanish when the URL is parsed again.
static void read_opaque_path(Parser *p, bool fragment_follows) {
  const char *query = memchr(p->at, '?', p->end - p->at);
  const char *end = query ? query : p->end;
  Slice path = {p->at, end - p->at};
  bool guard = (query || fragment_follows) && path.len > 0 && path.data[path.len - 1] == ' ';
  char *start = p->arena->at;
  if (guard) path.len--;
  encode_to(p->arena, path, SET_C0);
  if (guard) memcpy(arena_take(p->arena, 3), "%20", 3);
  p->url->path = (Slice){start, p->arena->at - start};
  p->url->opaque = true;
  p->at = end;
  read_query(p);
}

// ---- authority

static void read_credentials(Parser *p, Slice info) {
  const char *colon = info.len ? memchr(info.data, ':', info.len) : NULL;
  uint32_t name_len = colon ? (uint32_t)(colon - info.data) : info.len;
  p->url->username = encode(p->arena, (Slice){info.data, name_len}, SET_USERINFO);
  if (colon) p->url->password = encode(p->arena, (Slice){colon + 1, info.len - name_len - 1}, SET_USERINFO);
}

// port_colon finds the ':' that ends a host; one inside brackets does not.
static const char *port_colon(Slice s) {
  bool brackets = false;
  for (uint32_t i = 0; i < s.len; i++) {
    if (s.data[i] == '[') brackets = true;
    if (s.data[i] == ']') brackets = false;
    if (s.data[i] == ':' && !brackets) return s.data + i;
  }
  return NULL;
}

// number_port reads all of s as a port number: -1 when it is empty, -2 when it is none.
static int32_t number_port(Slice s) {
  int32_t port = s.len == 0 ? -1 : 0;
  for (uint32_t i = 0; i < s.len; i++) {
    if (!is_digit(s.data[i])) return -2;
    port = port * 10 + (s.data[i] - '0');
    if (port > 65535) return -2;
  }
  return port;
}

static bool read_host_port(Parser *p, Slice s) {
  const char *colon = port_colon(s);
  Slice host = {s.data, colon ? (uint32_t)(colon - s.data) : s.len};
  if (host.len == 0 && (p->special || colon)) return false;
  if (!host_parse(host, !p->special, p->arena, &p->url->host)) return false;
  p->url->has_host = true;
  if (!colon) return true;
  int32_t port = number_port((Slice){colon + 1, s.data + s.len - colon - 1});
  if (port == -2) return false;
  p->url->port = port == default_port(p->url->scheme) ? -1 : port;
  return true;
}

static const char *authority_end(const Parser *p) {
  const char *c = p->at;
  while (c < p->end && *c != '/' && *c != '?' && !(p->special && *c == '\\')) c++;
  return c;
}

static bool read_authority(Parser *p) {
  const char *end = authority_end(p), *host = p->at;
  for (const char *c = p->at; c < end; c++)
    if (*c == '@') host = c + 1;
  if (host > p->at) {
    if (host == end) return false;
    read_credentials(p, (Slice){p->at, host - 1 - p->at});
  }
  if (!read_host_port(p, (Slice){host, end - host})) return false;
  p->at = end;
  start_path(p);
  return true;
}

static bool read_special_authority(Parser *p) {
  while (at_slash(p)) p->at++;
  return read_authority(p);
}

// ---- file

static bool starts_with_drive(const Parser *p) {
  if (p->end - p->at < 2 || !is_drive_letter((Slice){p->at, 2})) return false;
  return p->end - p->at == 2 || strchr("/\\?", p->at[2]) != NULL;
}

static bool read_file_host(Parser *p) {
  const char *end = authority_end(p);
  Slice name = {p->at, end - p->at};
  if (is_drive_letter(name)) {
    read_path(p);
    return true;
  }
  if (name.len > 0) {
    Slice host;
    if (!host_parse(name, false, p->arena, &host)) return false;
    if (!slice_is(host, "localhost")) p->url->host = host;
  }
  p->at = end;
  start_path(p);
  return true;
}

// take_path copies the base's path into the arena, so that segments can follow it.
static void take_path(Parser *p) { p->url->path = arena_copy(p->arena, p->base->path); }

static bool read_file_slash(Parser *p) {
  if (at_slash(p)) {
    p->at++;
    return read_file_host(p);
  }
  if (p->base && is_file(p->base)) {
    p->url->host = p->base->host;
    if (!starts_with_drive(p)) p->url->path = path_drive(p->arena, p->base->path);
  }
  read_path(p);
  return true;
}

static bool read_file(Parser *p) {
  p->url->has_host = true;
  if (at_slash(p)) {
    p->at++;
    return read_file_slash(p);
  }
  if (!p->base || !is_file(p->base)) {
    read_path(p);
    return true;
  }
  p->url->host = p->base->host;
  if (!more(p) || *p->at == '?') {
    p->url->path = p->base->path;
    p->url->query = p->base->query;
    p->url->has_query = p->base->has_query;
    read_query(p);
    return true;
  }
  if (!starts_with_drive(p)) {
    take_path(p);
    path_shorten(p->url);
  }
  read_path(p);
  return true;
}

// ---- relative

static void take_authority(Parser *p) {
  const UrlParts *base = p->base;
  p->url->username = base->username;
  p->url->password = base->password;
  p->url->host = base->host;
  p->url->has_host = base->has_host;
  p->url->port = base->port;
}

static bool read_relative_slash(Parser *p) {
  if (p->special && at_slash(p)) return read_special_authority(p);
  if (more(p) && *p->at == '/') {
    p->at++;
    return read_authority(p);
  }
  take_authority(p);
  read_path(p);
  return true;
}

static bool read_relative(Parser *p) {
  if (at_slash(p)) {
    p->at++;
    return read_relative_slash(p);
  }
  take_authority(p);
  if (!more(p) || *p->at == '?') {
    p->url->path = p->base->path;
    p->url->query = p->base->query;
    p->url->has_query = p->base->has_query;
    read_query(p);
    return true;
  }
  take_path(p);
  path_shorten(p->url);
  read_path(p);
  return true;
}

// ---- scheme

static bool is_scheme_char(char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; }

bool scheme_of(Slice input, Arena *arena, Slice *scheme) {
  uint32_t n = 0;
  if (input.len == 0 || !is_alpha(input.data[0])) return false;
  while (n < input.len && is_scheme_char(input.data[n])) n++;
  if (n == input.len || input.data[n] != ':') return false;
  char *lower = arena_take(arena, n);
  for (uint32_t i = 0; i < n; i++) lower[i] = to_lower(input.data[i]);
  *scheme = (Slice){lower, n};
  return true;
}

static bool read_with_scheme(Parser *p, bool fragment_follows) {
  p->special = is_special(p->url->scheme);
  if (is_file(p->url)) return read_file(p);
  if (p->special) {
    bool same = p->base && p->base->scheme.len == p->url->scheme.len &&
                memcmp(p->base->scheme.data, p->url->scheme.data, p->url->scheme.len) == 0;
    bool slashes = p->end - p->at >= 2 && p->at[0] == '/' && p->at[1] == '/';
    return same && !slashes ? read_relative(p) : read_special_authority(p);
  }
  if (!more(p) || *p->at != '/') {
    read_opaque_path(p, fragment_follows);
    return true;
  }
  p->at++;
  if (more(p) && *p->at == '/') {
    p->at++;
    return read_authority(p);
  }
  read_path(p);
  return true;
}

static bool read_without_scheme(Parser *p, bool fragment_follows) {
  if (!p->base) return false;
  p->url->scheme = p->base->scheme;
  p->special = is_special(p->url->scheme);
  if (!p->base->opaque) return is_file(p->base) ? read_file(p) : read_relative(p);
  if (more(p) || !fragment_follows) return false;
  *p->url = *p->base;
  return true;
}

static bool is_ignored(char c) { return c == '\t' || c == '\n' || c == '\r'; }

Slice strip_inside(Arena *arena, Slice s) {
  uint32_t clean = 0;
  while (clean < s.len && !is_ignored(s.data[clean])) clean++;
  if (clean == s.len) return s;
  char *to = arena_take(arena, s.len), *at = to;
  for (uint32_t i = 0; i < s.len; i++)
    if (!is_ignored(s.data[i])) *at++ = s.data[i];
  return (Slice){to, at - to};
}

// strip removes what the standard ignores: controls and spaces around, tabs and newlines inside.
static Slice strip(Arena *arena, Slice s) {
  while (s.len > 0 && (uint8_t)s.data[0] <= ' ') s.data++, s.len--;
  while (s.len > 0 && (uint8_t)s.data[s.len - 1] <= ' ') s.len--;
  return strip_inside(arena, s);
}

bool url_parse(Slice input, const UrlParts *base, Arena *arena, UrlParts *url) {
  *url = (UrlParts){.port = -1};
  input = strip(arena, input);
  const char *hash = input.len ? memchr(input.data, '#', input.len) : NULL;
  Parser p = {.at = input.data, .end = hash ? hash : input.data + input.len, .base = base, .url = url, .arena = arena};
  bool ok;
  if (scheme_of(rest(&p), arena, &url->scheme)) {
    p.at += url->scheme.len + 1;
    ok = read_with_scheme(&p, hash != NULL);
  } else {
    ok = read_without_scheme(&p, hash != NULL);
  }
  url->has_fragment = hash != NULL;
  url->fragment = (Slice){0};
  if (hash) url->fragment = encode(arena, (Slice){hash + 1, input.data + input.len - hash - 1}, SET_FRAGMENT);
  return ok;
}
