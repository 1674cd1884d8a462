// urlpath.h: paths, and the pieces of the parser that the setters need too.
#ifndef SW_URLPATH_H
#define SW_URLPATH_H

#include "urlparts.h"

// A path is kept serialised: each segment is '/' and its text, so the empty list is "" and the
// list of one empty segment is "/".

// path_append adds the segments of `input` to url->path, with dots resolved. url->path must be
// empty or the last thing in the arena. It returns the whole path.
Slice path_append(Arena *, const UrlParts *url, Slice input);

// path_shorten removes the last segment, but not a file's drive letter.
void path_shorten(UrlParts *);

// path_drive copies the first segment if that is a drive letter; else it is empty.
Slice path_drive(Arena *, Slice path);

bool is_drive_letter(Slice);

// scheme_of lower-cases the scheme of "scheme:…"; false when there is none.
bool scheme_of(Slice input, Arena *, Slice *scheme);

// strip_inside removes tabs and newlines.
Slice strip_inside(Arena *, Slice);

#endif
