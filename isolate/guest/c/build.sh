#!/bin/sh
# Compiles the examples, and a guest of the tests, with Debian's clang-19 and lld-19. The results are committed, so that
# nothing else needs a C compiler.
set -eu
cd "$(dirname "$0")"
for name in example hello ../../testdata/canary; do
	"${CC:-clang-19}" --target=wasm32 -std=c17 -O2 -mbulk-memory -Wall -Wextra -Werror -ffreestanding -nostdlib \
		-fno-builtin -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=16384 -Wl,--initial-memory=1048576 \
		-Wl,--max-memory=134217728 "$name.c" -o "$name.wasm"
done
