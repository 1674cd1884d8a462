// paramlist.h: a list of name-value pairs and application/x-www-form-urlencoded, without JavaScript.
#ifndef SW_PARAMLIST_H
#define SW_PARAMLIST_H

#include "vm.h"

// Pairs lie back to back: u32 name length, u32 value length, name, value (UTF-8).
typedef struct {
  Buffer bytes;
} ParamList;

typedef struct {
  const char *name, *value;
  uint32_t name_len, value_len;
} Param;

bool param_next(const ParamList *, uint32_t *at, Param *);  // start with *at = 0
bool param_is(const Param *, const char *name, size_t len);
bool param_has_value(const Param *, const char *value, size_t len);
uint32_t param_count(const ParamList *);

// Writers record a failed allocation in bytes.failed.
void param_append(ParamList *, const char *name, size_t name_len, const char *value, size_t value_len);
void param_parse(ParamList *, const char *form, size_t len);
void param_serialise(const ParamList *, Buffer *);

// param_delete removes the pairs of that name; with a value, only those that have it too.
void param_delete(ParamList *, const char *name, size_t name_len, const char *value, size_t value_len, bool by_value);

// param_set gives the first pair of that name the value and removes the others.
void param_set(ParamList *, const char *name, size_t name_len, const char *value, size_t value_len);

// param_sort orders pairs by the UTF-16 code units of their names and keeps equals in order.
void param_sort(ParamList *);

#endif
