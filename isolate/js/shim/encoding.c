#include "encoding.h"

#include <string.h>

#include "object.h"
#include "text.h"

const Encoding utf8_encoding = {"utf-8", "\xEF\xBB\xBF", 3, utf8_whole, utf8_valid, new_text};

static const struct {
  const char *label;
  const Encoding *encoding;
} labels[] = {
    {"utf-8", &utf8_encoding},
    {"utf8", &utf8_encoding},
    {"unicode-1-1-utf-8", &utf8_encoding},
    {"unicode11utf8", &utf8_encoding},
    {"unicode20utf8", &utf8_encoding},
    {"x-unicode20utf8", &utf8_encoding},
    {"utf-16le", &utf16le_encoding},
    {"utf-16", &utf16le_encoding},
    {"ucs-2", &utf16le_encoding},
    {"unicode", &utf16le_encoding},
    {"unicodefeff", &utf16le_encoding},
    {"csunicode", &utf16le_encoding},
    {"iso-10646-ucs-2", &utf16le_encoding},
    {"utf-16be", &utf16be_encoding},
    {"unicodefffe", &utf16be_encoding},
};

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

const Encoding *encoding_labelled(const char *s, size_t n) {
  while (n > 0 && is_space(s[0])) s++, n--;
  while (n > 0 && is_space(s[n - 1])) n--;
  for (int i = 0; i < COUNT(labels); i++)
    if (text_is_nocase(s, n, labels[i].label)) return labels[i].encoding;
  return NULL;
}
