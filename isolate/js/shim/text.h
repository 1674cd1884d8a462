// text.h: strings between JavaScript, UTF-8 and Latin-1, as Web IDL and the Encoding standard say.
#ifndef SW_TEXT_H
#define SW_TEXT_H

#include <string.h>

#include "vm.h"

// Text is a JavaScript string as bytes, borrowed from the engine or converted. Zero is "none".
typedef struct {
  const char *data;
  size_t len;
  const char *borrowed;  // the engine's
  char *own;             // ours
} Text;

// usv_text converts to a USVString in UTF-8: lone surrogates become U+FFFD. False: it threw.
bool usv_text(JSContext *, JSValueConst, Text *);

// byte_text converts to a ByteString in Latin-1; a code point above 255 throws a TypeError.
bool byte_text(JSContext *, JSValueConst, Text *);

void text_free(JSContext *, Text *);

// text_is compares with a terminated ASCII string.
static inline bool text_is(const char *data, size_t len, const char *terminated) {
  return strlen(terminated) == len && memcmp(data, terminated, len) == 0;
}
bool text_is_nocase(const char *data, size_t len, const char *lower);

// new_text makes a string of UTF-8, invalid sequences replaced as the Encoding standard says.
JSValue new_text(JSContext *, const char *, size_t);

// new_ascii makes a string of what is known to be ASCII.
static inline JSValue new_ascii(JSContext *ctx, const char *data, size_t len) {
  return JS_NewStringLen(ctx, data, len);
}

// new_latin1 makes a string of isomorphic bytes.
JSValue new_latin1(JSContext *, const char *, size_t);

// utf8_decode reads one code point at p (n > 0 bytes left) and says how many bytes it took; -1
// for an invalid sequence, whose maximal subpart is taken.
int32_t utf8_decode(const uint8_t *p, size_t n, size_t *taken);

// utf8_whole is the length of data without an incomplete sequence at its end.
size_t utf8_whole(const char *data, size_t len);

bool utf8_valid(const char *, size_t);

// utf8_is_lone says that a lone surrogate begins at s: in the engine's C strings three bytes,
// ED A0..BF xx, which are in no UTF-8. utf8_has_lone says that there is one.
static inline bool utf8_is_lone(const char *s, size_t n) { return n >= 3 && (uint8_t)s[0] == 0xED && (uint8_t)s[1] >= 0xA0; }
static inline uint32_t utf8_lone(const char *s) { return 0xD000 | (s[1] & 63) << 6 | (s[2] & 63); }
bool utf8_has_lone(const char *, size_t);
bool utf8_has_replacement(const char *, size_t);  // U+FFFD is in it
void utf8_put(Buffer *, uint32_t code_point);

// utf8_repair copies with every invalid sequence replaced by U+FFFD.
void utf8_repair(Buffer *, const char *, size_t);

bool is_ascii(const char *, size_t);
static inline char to_lower(char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_alpha(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
int hex_value(char);  // -1: not a hexadecimal digit

#endif
