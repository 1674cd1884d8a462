// build.mjs has the engine call error_format where it would call vsnprintf for an error's message.
#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "callee.h"
#include "object.h"

#define STANDS_IN(name) __attribute__((export_name(#name)))

typedef struct {
  const char *engine, *v8;
} Words;

#define TOKEN "unexpected token: '%.*s'"
#define READ_ONLY "'%s' is read-only"

static const Words words[] = {
    // Properties and variables.
    {"cannot read property '%s' of undefined", "Cannot read properties of undefined (reading '%s')"},
    {"cannot read property '%s' of null", "Cannot read properties of null (reading '%s')"},
    {"cannot set property '%s' of undefined", "Cannot set properties of undefined (setting '%s')"},
    {"cannot set property '%s' of null", "Cannot set properties of null (setting '%s')"},
    {"%s is not initialized", "Cannot access '%s' before initialization"},
    {READ_ONLY, "Cannot assign to read only property '%s' of object"},
    {"object is not extensible", "Cannot add property, object is not extensible"},
    {"could not delete property", "Cannot delete property of object"},
    {"no setter for property", "Cannot set property of object which has only a getter"},
    {"property is not configurable", "Cannot redefine property"},
    {"circular prototype chain", "Cyclic __proto__ value"},
    {"revoked proxy", "Cannot perform operation on a proxy that has been revoked"},
    {"cannot convert to object", "Cannot convert undefined or null to object"},
    {"undefined private field '%s'", "Private field '%s' must be declared in an enclosing class"},
    {"private class field '%s' does not exist", "Cannot read private member %s from an object whose class did not declare it"},
    {"private class field '%s' already exists", "Cannot initialize %s twice on the same object"},
    {"invalid brand on object", "Receiver must be an instance of class"},
    {"invalid 'in' operand", "Cannot use 'in' operator to search for a property in a value that is not an object"},
    {"invalid 'instanceof' right operand", "Right-hand side of 'instanceof' is not callable"},
    // Calls.
    {"derived class constructor must return an object or undefined", "Derived constructors may only return object or undefined"},
    {"'this' can be initialized only once", "Super constructor may only be called once"},
    {"parent class must be constructor", "Class extends value is not a constructor or null"},
    {"cannot invoke a running generator", "Generator is already running"},
    {"promise self resolution", "Chaining cycle detected for promise #<Promise>"},
    // Conversions.
    {"cannot convert symbol to string", "Cannot convert a Symbol value to a string"},
    {"cannot convert symbol to number", "Cannot convert a Symbol value to a number"},
    {"cannot convert BigInt to number", "Cannot mix BigInt and other types, use explicit conversions"},
    {"bigint argument with unary +", "Cannot convert a BigInt value to a number"},
    {"BigInt operands are forbidden for >>>", "BigInts have no unsigned right shift, use >> instead"},
    {"BigInt division by zero", "Division by zero"},
    {"BigInt negative exponent", "Exponent must be non-negative"},
    {"BigInt is too large", "Maximum BigInt size exceeded"},
    {"BigInt is too large to allocate", "Maximum BigInt size exceeded"},
    {"cannot convert to BigInt: not an integer", "The number cannot be converted to a BigInt because it is not an integer"},
    {"invalid BigInt literal", "Cannot convert string to a BigInt"},
    {"BigInt are forbidden in JSON.stringify", "Do not know how to serialize a BigInt"},
    {"circular reference", "Converting circular structure to JSON"},
    // Ranges and other arguments.
    {"invalid array length", "Invalid array length"},
    {"invalid array buffer length", "Invalid array buffer length"},
    {"invalid array index", "Invalid array buffer length"},
    {"invalid string length", "Invalid string length"},
    {"string too long", "Invalid string length"},
    {"invalid repeat count", "Invalid count value"},
    {"invalid code point", "Invalid code point"},
    {"Date value is NaN", "Invalid time value"},
    {"not a Date object", "this is not a Date object."},
    {"empty array", "Reduce of empty array with no initial value"},
    {"empty iterator", "Reduce of a done iterator with no initial value"},
    {"expecting hex digit", "URI malformed"},
    {"malformed UTF-8", "URI malformed"},
    {"bad normalization form", "The normalization form should be one of NFC, NFD, NFKC, NFKD."},
    {"out of bound", "Offset is outside the bounds of the DataView"},
    {"invalid value used as WeakMap key", "Invalid value used as weak map key"},
    {"invalid regular expression flags", "Invalid flags supplied to RegExp constructor"},
    // Syntax.
    {"unexpected token in expression: '%.*s'", "Unexpected token '%.*s'"},
    {TOKEN, "Unexpected token '%.*s'"},
    {"unexpected character", "Invalid or unexpected token"},
    {"unexpected end of string", "Invalid or unexpected token"},
    {"unexpected end of comment", "Invalid or unexpected token"},
    {"invalid number literal", "Invalid or unexpected token"},
    {"unexpected end of regexp", "Invalid regular expression: missing /"},
    {"redeclaration of '%s'", "Identifier '%s' has already been declared"},
    {"invalid assignment left-hand side", "Invalid left-hand side in assignment"},
    {"break must be inside loop or switch", "Illegal break statement"},
    {"continue must be inside loop", "Illegal continue statement: no surrounding iteration statement"},
    {"return not in a function", "Illegal return statement"},
    {"duplicate default", "More than one default clause in switch statement"},
    {"expecting catch or finally", "Missing catch or finally after try"},
    {"duplicate __proto__ property name", "Duplicate __proto__ fields are not allowed in object literals"},
    {"missing initializer for variable", "Missing initializer in const declaration"},
    {"super() is only valid in a derived class constructor", "'super' keyword unexpected here"},
    {"'super' is only valid in a method", "'super' keyword unexpected here"},
    {"unexpected 'await' keyword", "await is only valid in async functions and the top level bodies of modules"},
    {"line terminator not allowed after throw", "Illegal newline after throw"},
    {"'%s' is a reserved identifier", "Unexpected reserved word"},
    // Modules.
    {"Could not find export '%s' in module '%s'", "The requested module '%2$s' does not provide an export named '%1$s'"},
    {"circular reference when looking for export '%s' in module '%s'", "The requested module '%2$s' does not provide an export named '%1$s'"},
    {"export '%s' in module '%s' is ambiguous", "The requested module '%2$s' contains conflicting star exports for name '%1$s'"},
    {"duplicate exported name '%s'", "Duplicate export of '%s'"},
    {"exported variable '%s' does not exist", "Export '%s' is not defined in module"},
    // Regular expressions.
    {"nothing to repeat", "Invalid regular expression: Nothing to repeat"},
};

// The %s of these is not the engine's: it has none.
typedef struct {
  const char *engine, *v8;
  bool (*put)(Buffer *);
} Filled;

static const Filled filled[] = {
    {"not a function", "%s", callee_put_complaint},
    {"not a constructor", "%s", callee_put_complaint},
    {"must be called with new", "Constructor %s requires 'new'", callee_put_function},
    {"constructor requires 'new'", "Constructor %s requires 'new'", callee_put_function},
    {"class constructors must be invoked with 'new'", "Class constructor %s cannot be invoked without 'new'", callee_put_function},
    {"abstract class not constructable", "Abstract class %s not directly constructable", callee_put_function},
    {"null or undefined are forbidden", "String.prototype.%s called on null or undefined", callee_put_function},
    {"invalid number of digits", "%s() argument must be between 0 and 100", callee_put_function},
    {"regexp must have the 'g' flag", "String.prototype.%s called with a non-global RegExp argument", callee_put_function},
    {"invalid target", "%s: invalid target", callee_put_function},
};

// fill formats a row of them; −1: what its %s stands for cannot be told.
static int fill(char *to, size_t size, const Filled *row) {
  Buffer text = {0};
  bool told = row->put(&text);
  buffer_byte(&text, 0);
  int len = told && !text.failed ? snprintf(to, size, row->v8, text.data) : -1;
  buffer_free(&text);
  return len;
}

// What is said otherwise of some arguments.
static const Words whole[] = {
    {"Cannot access 'this' before initialization",
     "Must call super constructor in derived class before accessing 'this' or returning from derived constructor"},
    {"Cannot read properties of undefined (reading 'Symbol.iterator')",
     "undefined is not iterable (cannot read property Symbol(Symbol.iterator))"},
    {"Cannot read properties of null (reading 'Symbol.iterator')",
     "object null is not iterable (cannot read property Symbol(Symbol.iterator))"},
};

static const char *said_by_v8(const Words *table, int len, const char *engine) {
  for (int i = 0; i < len; i++)
    if (strcmp(table[i].engine, engine) == 0) return table[i].v8;
  return engine;
}

static const char *token;

const char *words_token(void) { return token; }

static void note_token(va_list arguments) {
  va_list copy;
  va_copy(copy, arguments);
  va_arg(copy, int);
  token = va_arg(copy, const char *);
  va_end(copy);
}

STANDS_IN(error_format) int error_format(char *to, size_t size, const char *format, va_list arguments) {
  for (int i = 0; i < COUNT(filled); i++) {
    if (strcmp(filled[i].engine, format) != 0) continue;
    int len = fill(to, size, &filled[i]);
    if (len >= 0) return len;
  }
  if (strcmp(format, TOKEN) == 0) note_token(arguments);
  if (strcmp(format, READ_ONLY) == 0 && callee_assigns_constant()) format = "Assignment to constant variable.";
  int len = vsnprintf(to, size, said_by_v8(words, COUNT(words), format), arguments);
  const char *said = said_by_v8(whole, COUNT(whole), to);
  return said == to ? len : snprintf(to, size, "%s", said);
}
