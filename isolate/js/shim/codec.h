// codec.h: the Encoding standard's TextEncoder and TextDecoder. The host decodes all but UTF-8 and UTF-16.
#ifndef SW_CODEC_H
#define SW_CODEC_H

void codec_define(void);

#endif
