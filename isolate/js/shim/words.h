// words.h: the engine's errors in V8's words, which programs and people know.
#ifndef SW_WORDS_H
#define SW_WORDS_H

// words_token is where the token lies that the latest complaint of a parser about one names.
const char *words_token(void);

#endif
