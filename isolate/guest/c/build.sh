#!/bin/sh
# Compiles the examples, and the guests of the tests, with Debian's clang-19 and lld-19. The
# results are committed, so that nothing else needs a C compiler.
set -eu
cd "$(dirname "$0")"

# compile SOURCE OUTPUT [FLAG…]
compile() {
	source=$1 output=$2
	shift 2
	"${CC:-clang-19}" --target=wasm32 -std=c17 -O2 -mbulk-memory -Wall -Wextra -Werror -ffreestanding -nostdlib \
		-fno-builtin -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=16384 -Wl,--initial-memory=1048576 \
		-Wl,--max-memory=134217728 "$@" "$source" -o "$output"
}

compile hello.c hello.wasm
compile example.c example.wasm -DSTREAMING
compile example.c ../../testdata/inline.wasm
compile ../../testdata/canary.c ../../testdata/canary.wasm -mreference-types
compile ../../testdata/states.c ../../testdata/states.wasm
compile ../../testdata/hostile.c ../../testdata/hostile.wasm -mreference-types -fbuiltin
