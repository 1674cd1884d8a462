#include "urlpath.h"

#include <string.h>

#include "text.h"
#include "urlencode.h"

bool is_drive_letter(Slice s) { return s.len == 2 && is_alpha(s.data[0]) && (s.data[1] == ':' || s.data[1] == '|'); }

// starts_with_normal_drive: "/C:" as a whole first segment.
static bool starts_with_drive_segment(Slice path) {
  return path.len >= 3 && is_alpha(path.data[1]) && path.data[2] == ':' && (path.len == 3 || path.data[3] == '/');
}

static uint32_t shortened(bool file, Slice path) {
  if (file && path.len == 3 && starts_with_drive_segment(path)) return path.len;
  uint32_t n = path.len;
  while (n > 0 && path.data[--n] != '/') {
  }
  return n;
}

void path_shorten(UrlParts *url) { url->path.len = shortened(slice_is(url->scheme, "file"), url->path); }

Slice path_drive(Arena *a, Slice path) {
  return starts_with_drive_segment(path) ? arena_copy(a, (Slice){path.data, 3}) : (Slice){0};
}

// dots counts the dots of ".", "..", and the same with "%2e": 0 when anything else is in there.
static int dots(Slice s) {
  int count = 0;
  for (uint32_t i = 0; i < s.len; count++) {
    if (s.data[i] == '.')
      i++;
    else if (s.len - i >= 3 && s.data[i] == '%' && s.data[i + 1] == '2' && (s.data[i + 2] | 32) == 'e')
      i += 3;
    else
      return 0;
  }
  return count;
}

typedef struct {
  Arena *arena;
  char *start;  // of the path; it ends at arena->at
  bool file, special;
} Writer;

static Slice written(const Writer *w) { return (Slice){w->start, w->arena->at - w->start}; }

static void put_segment(Writer *w, Slice segment) {
  bool drive = w->file && w->arena->at == w->start && is_drive_letter(segment);
  *arena_take(w->arena, 1) = '/';
  if (drive) {
    char *to = arena_take(w->arena, 2);
    to[0] = segment.data[0];
    to[1] = ':';
  } else {
    encode_to(w->arena, segment, SET_PATH);
  }
}

static void put_dots(Writer *w, int count, bool last) {
  if (count == 2) w->arena->at = w->start + shortened(w->file, written(w));
  if (last) *arena_take(w->arena, 1) = '/';
}

static uint32_t segment_length(const Writer *w, Slice s) {
  uint32_t n = 0;
  while (n < s.len && s.data[n] != '/' && !(w->special && s.data[n] == '\\')) n++;
  return n;
}

Slice path_append(Arena *arena, const UrlParts *url, Slice input) {
  Writer w = {arena, url->path.len ? (char *)url->path.data : arena->at, slice_is(url->scheme, "file"),
              is_special(url->scheme)};
  arena->at = w.start + url->path.len;
  for (bool last = false; !last;) {
    Slice segment = {input.data, segment_length(&w, input)};
    last = segment.len == input.len;
    int count = dots(segment);
    if (count == 1 || count == 2)
      put_dots(&w, count, last);
    else
      put_segment(&w, segment);
    if (last) break;
    input.data += segment.len + 1;
    input.len -= segment.len + 1;
  }
  return written(&w);
}
