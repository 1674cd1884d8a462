#include "callee.h"

#include <string.h>

#include "atoms.h"
#include "text.h"

// All here is the layout of the one binary that build.mjs accepts, which also exports find_line_num.
//
//   runtime ─► Frame ─► function object ─► Bytecode ─► source, from the function's first line on

enum { MAX_CALLEE = 100 };

// FIELD_LEN: the instruction and an atom.
enum { OP_PUT_FIELD = 66, OP_PUT_ELEMENT = 72, FIELD_LEN = 5 };

enum {
  FRAME_AT = 660,     // in the runtime: the innermost frame
  CLASS_AT = 10,      // in an object: u16
  BYTECODE_AT = 24,   // in a function written in JavaScript
};

typedef struct Frame {
  struct Frame *caller;
  JSValue function;
  void *arguments, *variables, *captured;
  const uint8_t *at;  // behind the instruction that runs
} Frame;

typedef struct {
  uint8_t header[12];
  const uint8_t *code;
  int code_len;
  uint8_t between[40];
  int line, column;
  int source_len, positions_len;
  const uint8_t *positions;
  const char *source;
} Bytecode;

int find_line_num(const Bytecode *, int at, int *column);

static const Frame *frame(void) {
  return *(const Frame **)((const char *)vm.rt + FRAME_AT);
}

// Functions, generators, async functions and async generators.
static bool has_bytecode(int class) { return class == 13 || class == 17 || class == 55 || class == 59; }

static const Bytecode *bytecode(const Frame *f) {
  if (!f || !JS_IsObject(f->function)) return NULL;
  const char *object = value_pointer(f->function);
  uint16_t class;
  memcpy(&class, object + CLASS_AT, sizeof class);
  return has_bytecode(class) ? *(const Bytecode **)(object + BYTECODE_AT) : NULL;
}

// Not every instruction notes where it is.
static bool is_in(const Bytecode *code, const uint8_t *at) { return at > code->code && at <= code->code + code->code_len; }

// ---- the place in the source

typedef struct {
  const char *from, *to;
} Source;

static bool is_name(char c) { return is_alpha(c) || is_digit(c) || c == '_' || c == '$' || c == '#' || (c & 0x80); }

// line_at is where the n-th line of the source begins; NULL: it has none.
static const char *line_at(Source s, int n) {
  const char *p = s.from;
  for (; n > 0 && p; n--) {
    p = memchr(p, '\n', s.to - p);
    if (p) p++;
  }
  return p;
}

// forward passes n bytes, which the engine's columns are.
static const char *forward(Source s, const char *p, int n) { return n < s.to - p ? p + n : s.to; }

// The engine gives column 1 to an arrow function that begins with a parenthesis. A call in such
// a function's first line is told only if the line has no other.
static const char *only_call(Source s) {
  const char *found = NULL;
  for (const char *p = s.from + 1; p < s.to && *p != '\n'; p++) {
    if (*p != '(' || !is_name(p[-1])) continue;
    if (found) return NULL;
    for (found = p; found > s.from && is_name(found[-1]);) found--;
  }
  return found;
}

static const char *place(Source s, const Bytecode *code, const uint8_t *at) {
  int column, line = find_line_num(code, at - code->code - 1, &column) - code->line;
  if (line > 0) {
    const char *begin = line_at(s, line);
    return begin ? forward(s, begin, column - 1) : NULL;
  }
  if (code->column == 1 && *s.from == '(') return only_call(s);
  return forward(s, s.from, column - code->column);
}

// ---- the expression around it

// opener finds the bracket that the one at p closes, within reach.
enum { REACH = 40 };
static const char *opener(Source s, const char *p) {
  char open = *p == ')' ? '(' : '[';
  int depth = 0;
  for (const char *end = p; p >= s.from && end - p < REACH; p--) {
    if (*p == *end) depth++;
    if (*p == open && --depth == 0) return p;
  }
  return NULL;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static const char *before_space(Source s, const char *p) {
  while (p > s.from && is_space(p[-1])) p--;
  return p;
}

// begin goes back over "a.b", "a?.b", "a[0].b". NULL: there is something else before.
static const char *begin(Source s, const char *p) {
  for (;;) {
    while (p > s.from && is_name(p[-1])) p--;
    const char *dot = before_space(s, p);
    if (dot - s.from < 2 || dot[-1] != '.') return p;
    p = before_space(s, dot - (dot[-2] == '?' ? 2 : 1));
    while (p > s.from && p[-1] == ']') {
      p = opener(s, p - 1);
      if (!p) return NULL;
    }
    if (p == s.from || !is_name(p[-1])) return NULL;
  }
}

// end goes on over the name and what is in brackets behind it; of what is constructed, over all names.
static const char *end(Source s, const char *p, bool constructs) {
  while (p < s.to && (is_name(*p) || (constructs && *p == '.'))) p++;
  while (p < s.to && *p == '[') {
    const char *close = memchr(p, ']', s.to - p < REACH ? s.to - p : REACH);
    if (!close) return p;
    p = close + 1;
  }
  return p;
}

static bool opens_call(Source s, const char *p) {
  while (p < s.to && is_space(*p)) p++;
  return p < s.to && (*p == '(' || *p == '`' || *p == '?');
}

// after_new says that "new " is before p.
static bool after_new(Source s, const char *p) {
  p = before_space(s, p);
  return p - s.from >= 3 && memcmp(p - 3, "new", 3) == 0;
}

bool callee_put_complaint(Buffer *b) {
  const Frame *f = frame();
  const Bytecode *code = bytecode(f);
  if (!code || !code->source || code->source_len <= 0 || !is_in(code, f->at)) return false;
  Source s = {code->source, code->source + code->source_len};
  const char *at = place(s, code, f->at);
  if (!at || at <= s.from || at >= s.to || !is_name(*at) || is_name(at[-1])) return false;
  const char *from = begin(s, at);
  bool constructs = from && after_new(s, from);
  const char *to = end(s, at, constructs);
  if (!constructs && !opens_call(s, to)) return false;
  if (!from) buffer_text(b, "(intermediate value).");
  for (const char *p = from ? from : at; p < to; p++)
    if (!is_space(*p)) buffer_byte(b, *p);
  buffer_text(b, constructs ? " is not a constructor" : " is not a function");
  return b->len <= MAX_CALLEE;
}

// The compiler knows constants: it writes what throws, not what assigns.
bool callee_assigns_constant(void) {
  const Frame *f = frame();
  const Bytecode *code = bytecode(f);
  if (!code) return false;
  if (!is_in(code, f->at)) return true;
  bool field = f->at - code->code >= FIELD_LEN && f->at[-FIELD_LEN] == OP_PUT_FIELD;
  return !field && f->at[-1] != OP_PUT_ELEMENT;
}

bool callee_put_function(Buffer *b) {
  const Frame *f = frame();
  JSPropertyDescriptor name;
  if (!f || JS_GetOwnProperty(vm.ctx, &name, f->function, atom.name) <= 0) return false;
  Text text;
  bool told = JS_IsString(name.value) && usv_text(vm.ctx, name.value, &text);
  if (told) {
    buffer_put(b, text.data, text.len);
    text_free(vm.ctx, &text);
  }
  JS_FreeValue(vm.ctx, name.value);
  JS_FreeValue(vm.ctx, name.getter);
  JS_FreeValue(vm.ctx, name.setter);
  return told && b->len <= MAX_CALLEE;
}
