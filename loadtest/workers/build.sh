#!/bin/sh
# Compiles hello.c with Debian's clang-19 and lld-19.
set -eu
cd "$(dirname "$0")"
"${CC:-clang-19}" --target=wasm32 -std=c17 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -fno-builtin \
	-Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=16384 hello.c -o hello.wasm
