// urlparts.h: the URL standard's URL record, and parsing into it. Nothing here knows JavaScript.
//
//   https://user:pass@example.com:8080/p/a/t/h?query#fragment
//   scheme  username  host       port path     query fragment
//           password
//
// Parts are slices of whatever they were read from: the input, the base, or the arena that holds
// what had to be rewritten.
#ifndef SW_URLPARTS_H
#define SW_URLPARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
  const char *data;
  uint32_t len;
} Slice;

typedef struct {
  Slice scheme;  // lower case, without ':'
  Slice username, password;
  Slice host;  // serialised
  Slice path;  // serialised: "/a/b", or anything when opaque
  Slice query, fragment;
  int32_t port;  // -1: none, or the scheme's default
  bool has_host, has_query, has_fragment, opaque;
} UrlParts;

// Arena hands out bytes from one block. It never moves, so slices of it stay good.
typedef struct {
  char *at, *end;
} Arena;

// arena_bytes is how much parsing or setting `input` bytes beside a URL of `other` bytes can need.
size_t arena_bytes(size_t input, size_t other);

static inline bool slice_is(Slice s, const char *terminated) {
  return strlen(terminated) == s.len && memcmp(s.data, terminated, s.len) == 0;
}

bool is_special(Slice scheme);
int32_t default_port(Slice scheme);  // -1: none

// url_parse is the basic URL parser without state override. base may be NULL. False: failure.
bool url_parse(Slice input, const UrlParts *base, Arena *, UrlParts *);

// The setters of the URL class, except href. They leave the parts as they were when the standard
// says that the value is ignored.
void parts_set_protocol(UrlParts *, Arena *, Slice);
void parts_set_username(UrlParts *, Arena *, Slice);
void parts_set_password(UrlParts *, Arena *, Slice);
void parts_set_host(UrlParts *, Arena *, Slice);
void parts_set_hostname(UrlParts *, Arena *, Slice);
void parts_set_port(UrlParts *, Arena *, Slice);
void parts_set_pathname(UrlParts *, Arena *, Slice);
void parts_set_search(UrlParts *, Arena *, Slice);
void parts_set_hash(UrlParts *, Arena *, Slice);

// parts_put_query takes a query that is already encoded, or none.
void parts_put_query(UrlParts *, Slice, bool has);

// parts_write serialises into `to`, which has room for parts_length bytes (an upper bound), points
// the parts into it and returns the length.
uint32_t parts_length(const UrlParts *);
uint32_t parts_write(UrlParts *, char *to);

#endif
