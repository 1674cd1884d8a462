// shapes.h: shapes that outlive a request.
//
// Objects of one prototype with the same properties in the same order share a shape, which dies
// with the last of them. So a request whose objects nobody keeps makes and frees the same few
// shapes every time, for a fifth of what it costs. An object that is kept for ever saves them.
#ifndef SW_SHAPES_H
#define SW_SHAPES_H

#include "vm.h"

// shapes_keep does that for the engine's own objects. Called at INIT.
void shapes_keep(void);

// shape_keep keeps the shape of empty objects with that prototype.
void shape_keep(JSValueConst proto);

#endif
