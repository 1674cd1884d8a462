// body.h: the body of a Request or Response: one slot, one of five things.
//
//   BODY_KIND_NONE     null
//   BODY_KIND_TEXT     value is a string           ┐
//   BODY_KIND_BYTES    value is a Uint8Array, ours ├─ .body asked for ──► BODY_KIND_STREAM
//   BODY_KIND_HANDLE   bytes at the host           ┘   value is a ReadableStream
//
// Text and bytes are read natively. A handle is read by READ operations until its end. Streams
// belong to the prelude.
#ifndef SW_BODY_H
#define SW_BODY_H

#include "hooks.h"
#include "object.h"
#include "text.h"

typedef enum {
  BODY_KIND_NONE,
  BODY_KIND_TEXT,
  BODY_KIND_BYTES,
  BODY_KIND_HANDLE,
  BODY_KIND_STREAM,
} BodyKind;

typedef struct {
  BodyKind kind;
  bool used;        // read, or passed on
  JSValue value;    // string, Uint8Array or ReadableStream; undefined otherwise
  uint32_t handle;  // of BODY_KIND_HANDLE
  uint32_t req;     // that it belongs to; 0: to all
  int32_t length;   // of a handle's bytes; -1 when it is not known
} Body;

typedef enum { CONSUME_TEXT, CONSUME_JSON, CONSUME_BUFFER, CONSUME_BYTES, CONSUME_BLOB, CONSUME_FORM } Consume;

Body body_none(void);
Body body_of_handle(uint32_t handle, int32_t length);
Body body_of_bytes(JSContext *, const char *, size_t);  // kind NONE and an exception when it failed
void body_free(JSRuntime *, Body *);
void body_mark(JSRuntime *, Body *, JS_MarkFunc *);

// body_extract converts a BodyInit. *type becomes the content type it implies, undefined when
// none; static text/plain is left to the caller as *plain.
bool body_extract(JSContext *, JSValueConst init, Body *, JSValue *type, bool *plain);

bool body_used(JSContext *, const Body *);

// body_stream is the .body getter: it turns the slot into a stream on first use.
JSValue body_stream(JSContext *, JSValueConst owner, Body *);

// body_consume is text(), json() and so on: a promise. type is the owner's content type, for
// blob() and formData() only; it is owned by the call.
JSValue body_consume(JSContext *, Body *, Consume, JSValue type);

// body_take moves the body out for another owner; the old one is used from then on. It throws
// when the body has been used or is locked.
bool body_take(JSContext *, Body *from, Body *to);

// body_clone splits the body in two.
bool body_clone(JSContext *, JSValueConst owner, Body *from, Body *to);

// What goes over the wire: a body kind of the RESPONSE and FETCH blocks.
typedef struct {
  uint32_t kind, body;
  int32_t length;
  Text text;       // keep the bytes alive; freed by body_sent
  JSValue array;
  JSValue stream;  // BODY_STREAM: the stream to send; borrowed
} Outgoing;

// body_send prepares the body for the host and marks it used. It throws when the body has been
// used already or belongs to another request.
bool body_send(JSContext *, Body *, Outgoing *);
void body_sent(JSContext *, Outgoing *);

#endif
