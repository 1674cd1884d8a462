// codec.h: the Encoding standard's TextEncoder and TextDecoder, UTF-8 only.
#ifndef SW_CODEC_H
#define SW_CODEC_H

void codec_define(void);

#endif
