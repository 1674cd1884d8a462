// globals.h: built-ins of the engine that Workers do not have: code from strings.
#ifndef SW_GLOBALS_H
#define SW_GLOBALS_H

// globals_seal replaces eval and the four function constructors. It comes after the prelude.
void globals_seal(void);

#endif
