#include "url.h"

#include <string.h>

#include "urlsearchparams.h"

Class url_class;

// Room for what one parse rewrites. Most URLs are short and share one block, which nothing keeps.
typedef struct {
  Arena arena;
  char *own;
} Room;

static char common[4096];
static bool common_taken;

static bool room_open(JSContext *ctx, Room *room, size_t bytes) {
  room->own = NULL;
  if (bytes <= sizeof common && !common_taken) {
    common_taken = true;
    room->arena = (Arena){common, common + sizeof common};
    return true;
  }
  room->own = js_malloc(ctx, bytes);
  room->arena = (Arena){room->own, room->own + bytes};
  return room->own != NULL;
}

static void room_close(JSContext *ctx, Room *room) {
  if (room->own)
    js_free(ctx, room->own);
  else
    common_taken = false;
}

// seal serialises the parts, which may lie in a Room or in the old href, into a new href.
static bool seal(JSContext *ctx, Url *url) {
  uint32_t bound = parts_length(&url->parts);
  char *href = js_malloc(ctx, bound + 1);
  if (!href) return false;
  url->len = parts_write(&url->parts, href);
  href[url->len] = 0;
  js_free(ctx, url->href);
  url->href = href;
  return true;
}

// ---- parsing

static JSValue invalid(JSContext *ctx) { return JS_ThrowTypeError(ctx, "Invalid URL string."); }

typedef enum { PARSED, INVALID, THREW } Outcome;

static Outcome parse_text(JSContext *ctx, Slice input, const UrlParts *base, uint32_t base_len, Url *url) {
  Room room;
  *url = (Url){.params = JS_UNDEFINED};
  if (!room_open(ctx, &room, arena_bytes(input.len, base_len))) return THREW;
  Outcome outcome = INVALID;
  if (url_parse(input, base, &room.arena, &url->parts)) outcome = seal(ctx, url) ? PARSED : THREW;
  room_close(ctx, &room);
  return outcome;
}

static Outcome parse_value(JSContext *ctx, JSValueConst input, const Url *base, Url *url) {
  Text text;
  if (!usv_text(ctx, input, &text)) return THREW;
  Outcome outcome =
      parse_text(ctx, (Slice){text.data, text.len}, base ? &base->parts : NULL, base ? base->len : 0, url);
  text_free(ctx, &text);
  return outcome;
}

// parse reads input against an optional base.
static Outcome parse(JSContext *ctx, JSValueConst input, JSValueConst base_value, Url *url) {
  if (JS_IsUndefined(base_value)) return parse_value(ctx, input, NULL, url);
  Url base;
  Outcome outcome = parse_value(ctx, base_value, NULL, &base);
  if (outcome == PARSED) {
    outcome = parse_value(ctx, input, &base, url);
    js_free(ctx, base.href);
  }
  return outcome;
}

JSValue url_parse_value(JSContext *ctx, JSValueConst input, JSValueConst base) {
  Url url;
  Outcome outcome = parse(ctx, input, base, &url);
  if (outcome != PARSED) return outcome == THREW ? JS_EXCEPTION : invalid(ctx);
  JSValue href = new_ascii(ctx, url.href, url.len);
  js_free(ctx, url.href);
  return href;
}

// ---- objects

static void finalize(JSRuntime *rt, JSValueConst value) {
  Url *url = JS_GetOpaque(value, url_class.id);
  if (!url) return;
  params_unlink(url->params);
  JS_FreeValueRT(rt, url->params);
  js_free_rt(rt, url->href);
  js_free_rt(rt, url);
}

static void mark(JSRuntime *rt, JSValueConst value, JS_MarkFunc *mark) {
  Url *url = JS_GetOpaque(value, url_class.id);
  if (url) JS_MarkValue(rt, url->params, mark);
}

static JSValue wrap(JSContext *ctx, JSValueConst new_target, const Url *parsed) {
  Url *url = js_malloc(ctx, sizeof *url);
  JSValue object = JS_EXCEPTION;
  if (url) {
    *url = *parsed;
    object = class_new(ctx, &url_class, new_target, url);
  }
  if (JS_IsException(object)) {
    js_free(ctx, parsed->href);
    js_free(ctx, url);
  }
  return object;
}

static JSValue construct(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
  if (!need(ctx, argc, 1, "URL constructor")) return JS_EXCEPTION;
  Url url;
  Outcome outcome = parse(ctx, argv[0], argument(argc, argv, 1), &url);
  if (outcome != PARSED) return outcome == THREW ? JS_EXCEPTION : invalid(ctx);
  return wrap(ctx, new_target, &url);
}

static JSValue do_parse(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  if (!need(ctx, argc, 1, "URL.parse")) return JS_EXCEPTION;
  Url url;
  Outcome outcome = parse(ctx, argv[0], argument(argc, argv, 1), &url);
  if (outcome != PARSED) return outcome == THREW ? JS_EXCEPTION : JS_NULL;
  return wrap(ctx, JS_UNDEFINED, &url);
}

static JSValue can_parse(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  if (!need(ctx, argc, 1, "URL.canParse")) return JS_EXCEPTION;
  Url url;
  Outcome outcome = parse(ctx, argv[0], argument(argc, argv, 1), &url);
  if (outcome == PARSED) js_free(ctx, url.href);
  return outcome == THREW ? JS_EXCEPTION : JS_NewBool(outcome == PARSED);
}

// ---- getters

typedef enum {
  PART_HREF,
  PART_ORIGIN,
  PART_PROTOCOL,
  PART_USERNAME,
  PART_PASSWORD,
  PART_HOST,
  PART_HOSTNAME,
  PART_PORT,
  PART_PATHNAME,
  PART_SEARCH,
  PART_HASH,
} Part;

static Url *self_of(JSContext *ctx, JSValueConst self) { return JS_GetOpaque2(ctx, self, url_class.id); }

static JSValue slice_text(JSContext *ctx, Slice s) { return new_ascii(ctx, s.len ? s.data : "", s.len); }

// What stands between a slice's neighbours in href is part of some getters: ':', '?', '#'.
static JSValue between(JSContext *ctx, const char *from, const char *to) { return new_ascii(ctx, from, to - from); }

// authority_end is behind the port, whose digits end at the path, the query, the fragment or the
// NUL behind href.
static const char *authority_end(const UrlParts *u) {
  const char *at = u->host.data + u->host.len;
  if (u->port < 0) return at;
  for (at++; is_digit(*at);) at++;
  return at;
}

static JSValue get_host(JSContext *ctx, const UrlParts *u) {
  return u->has_host ? between(ctx, u->host.data, authority_end(u)) : new_ascii(ctx, "", 0);
}

static JSValue get_port(JSContext *ctx, const UrlParts *u) {
  if (u->port < 0) return new_ascii(ctx, "", 0);
  return between(ctx, u->host.data + u->host.len + 1, authority_end(u));
}

// with_mark is a query or fragment with its mark, or nothing when it is empty.
static JSValue with_mark(JSContext *ctx, Slice s) {
  return s.len ? new_ascii(ctx, s.data - 1, s.len + 1) : new_ascii(ctx, "", 0);
}

static JSValue tuple_origin(JSContext *ctx, const UrlParts *u) {
  Buffer b = {0};
  buffer_put(&b, u->scheme.data, u->scheme.len);
  buffer_text(&b, "://");
  buffer_put(&b, u->host.data, authority_end(u) - u->host.data);
  if (!buffer_ok(ctx, &b)) return JS_EXCEPTION;
  JSValue origin = new_ascii(ctx, b.data, b.len);
  buffer_free(&b);
  return origin;
}

static JSValue opaque_origin(JSContext *ctx) { return new_ascii(ctx, "null", 4); }

// A blob's origin is that of the URL in its path, if that is a web page's.
static JSValue blob_origin(JSContext *ctx, const UrlParts *u) {
  Url inner;
  Outcome outcome = parse_text(ctx, u->path, NULL, 0, &inner);
  if (outcome == THREW) return JS_EXCEPTION;
  if (outcome == INVALID) return opaque_origin(ctx);
  bool web = slice_is(inner.parts.scheme, "http") || slice_is(inner.parts.scheme, "https");
  JSValue origin = web ? tuple_origin(ctx, &inner.parts) : opaque_origin(ctx);
  js_free(ctx, inner.href);
  return origin;
}

static JSValue get_origin(JSContext *ctx, const UrlParts *u) {
  if (slice_is(u->scheme, "blob")) return blob_origin(ctx, u);
  if (!is_special(u->scheme) || slice_is(u->scheme, "file")) return opaque_origin(ctx);
  return tuple_origin(ctx, u);
}

static JSValue get(JSContext *ctx, JSValueConst self, int part) {
  Url *url = self_of(ctx, self);
  if (!url) return JS_EXCEPTION;
  const UrlParts *u = &url->parts;
  switch ((Part)part) {
    case PART_HREF:
      return new_ascii(ctx, url->href, url->len);
    case PART_ORIGIN:
      return get_origin(ctx, u);
    case PART_PROTOCOL:
      return new_ascii(ctx, u->scheme.data, u->scheme.len + 1);
    case PART_USERNAME:
      return slice_text(ctx, u->username);
    case PART_PASSWORD:
      return slice_text(ctx, u->password);
    case PART_HOST:
      return get_host(ctx, u);
    case PART_HOSTNAME:
      return slice_text(ctx, u->host);
    case PART_PORT:
      return get_port(ctx, u);
    case PART_PATHNAME:
      return slice_text(ctx, u->path);
    case PART_SEARCH:
      return with_mark(ctx, u->query);
    default:
      return with_mark(ctx, u->fragment);
  }
}

// ---- setters

typedef void PartSetter(UrlParts *, Arena *, Slice);

static PartSetter *const setters[] = {
    [PART_PROTOCOL] = parts_set_protocol, [PART_USERNAME] = parts_set_username, [PART_PASSWORD] = parts_set_password,
    [PART_HOST] = parts_set_host,         [PART_HOSTNAME] = parts_set_hostname, [PART_PORT] = parts_set_port,
    [PART_PATHNAME] = parts_set_pathname, [PART_SEARCH] = parts_set_search,     [PART_HASH] = parts_set_hash,
};

// refresh_params makes the linked URLSearchParams show the new query.
static void refresh_params(JSContext *ctx, Url *url) {
  if (!JS_IsUndefined(url->params)) params_reload(ctx, url->params, url->parts.query.data, url->parts.query.len);
}

static bool set_part(JSContext *ctx, Url *url, int part, Slice value) {
  Room room;
  if (!room_open(ctx, &room, arena_bytes(value.len, url->len))) return false;
  setters[part](&url->parts, &room.arena, value);
  bool ok = seal(ctx, url);
  room_close(ctx, &room);
  return ok;
}

static JSValue set(JSContext *ctx, JSValueConst self, JSValueConst value, int part) {
  Url *url = self_of(ctx, self);
  Text text;
  if (!url || !usv_text(ctx, value, &text)) return JS_EXCEPTION;
  bool ok = set_part(ctx, url, part, (Slice){text.data, text.len});
  text_free(ctx, &text);
  if (!ok) return JS_EXCEPTION;
  if (part == PART_SEARCH) refresh_params(ctx, url);
  return JS_UNDEFINED;
}

static JSValue set_href(JSContext *ctx, JSValueConst self, JSValueConst value) {
  Url *url = self_of(ctx, self), parsed;
  if (!url) return JS_EXCEPTION;
  Outcome outcome = parse(ctx, value, JS_UNDEFINED, &parsed);
  if (outcome != PARSED) return outcome == THREW ? JS_EXCEPTION : invalid(ctx);
  js_free(ctx, url->href);
  parsed.params = url->params;
  *url = parsed;
  refresh_params(ctx, url);
  return JS_UNDEFINED;
}

bool url_put_query(JSContext *ctx, Url *url, const char *query, size_t len) {
  parts_put_query(&url->parts, (Slice){query, len}, len > 0);
  return seal(ctx, url);
}

static JSValue get_params(JSContext *ctx, JSValueConst self) {
  Url *url = self_of(ctx, self);
  if (!url) return JS_EXCEPTION;
  if (JS_IsUndefined(url->params)) {
    JSValue params = params_linked(ctx, url, url->parts.query.data, url->parts.query.len);
    if (JS_IsException(params)) return params;
    url->params = params;
  }
  return JS_DupValue(ctx, url->params);
}

static JSValue to_string(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return get(ctx, self, PART_HREF);
}

static JSValue get_href(JSContext *ctx, JSValueConst self) { return get(ctx, self, PART_HREF); }

static const JSCFunctionListEntry members[] = {
    ACCESSOR("href", get_href, set_href),
    ACCESSOR_MAGIC("origin", get, NULL, PART_ORIGIN),
    ACCESSOR_MAGIC("protocol", get, set, PART_PROTOCOL),
    ACCESSOR_MAGIC("username", get, set, PART_USERNAME),
    ACCESSOR_MAGIC("password", get, set, PART_PASSWORD),
    ACCESSOR_MAGIC("host", get, set, PART_HOST),
    ACCESSOR_MAGIC("hostname", get, set, PART_HOSTNAME),
    ACCESSOR_MAGIC("port", get, set, PART_PORT),
    ACCESSOR_MAGIC("pathname", get, set, PART_PATHNAME),
    ACCESSOR_MAGIC("search", get, set, PART_SEARCH),
    ACCESSOR_MAGIC("hash", get, set, PART_HASH),
    ACCESSOR("searchParams", get_params, NULL),
    METHOD("toString", 0, to_string),
    METHOD("toJSON", 0, to_string),
    TAG("URL"),
};

static const JSCFunctionListEntry statics[] = {METHOD("parse", 1, do_parse), METHOD("canParse", 1, can_parse)};

void url_define(void) {
  static const ClassSpec spec = {.name = "URL",
                                 .finalizer = finalize,
                                 .mark = mark,
                                 .constructor = construct,
                                 .arguments = 1,
                                 MEMBERS(members),
                                 STATICS(statics)};
  class_define(&url_class, &spec);
}
