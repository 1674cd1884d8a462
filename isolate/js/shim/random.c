#include "random.h"

// xoshiro256++ by Blackman and Vigna (public domain): fast, and 53 good bits for a double.
static uint64_t state[4];
static bool seeded;

static uint64_t rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }

static uint64_t next(void) {
  uint64_t result = rotate(state[0] + state[3], 23) + state[0];
  uint64_t t = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= t;
  state[3] = rotate(state[3], 45);
  return result;
}

// At module scope the host gives no randomness: what is drawn there is in the snapshot, the same
// for all clones, so a fixed sequence tells nobody anything.
static void seed(void) {
  if (host(HOST_RANDOM, vm.current, address(state), sizeof state, 0) == REFUSED)
    for (int i = 0; i < 4; i++) state[i] = 0x9E3779B97F4A7C15u * (i + 1);
  seeded = true;
}

static JSValue math_random(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  if (!seeded) seed();
  return JS_NewNumber(ctx, (double)(next() >> 11) * 0x1p-53);
}

void random_reseed(void) { seeded = false; }

void random_define(void) {
  JSValue math = global_get("Math");
  function_set(math, "random", math_random, 0);
  JS_FreeValue(vm.ctx, math);
}
