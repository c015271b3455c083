#!/bin/bash
# The NEON kernels under qemu: every kernel against scalar, bit for bit, and the tests of the
# layers. (The whole nano run under qemu is part of make check-bits.)
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

name="NEON kernels under qemu"
if is_sanitized; then
    skip "$name" "qemu and sanitizers do not go together"
elif ! command -v qemu-aarch64 >/dev/null || ! command -v aarch64-linux-gnu-gcc >/dev/null ||
    [ ! -e /usr/lib/aarch64-linux-gnu/libsleef.so ]; then
    skip "$name" "make deps-cross installs what it needs"
elif [ "$(uname -m)" = aarch64 ]; then
    skip "$name" "this machine runs them itself"
else
    cross=$BUILD/aarch64
    check "the cross build" "${MAKE:-make}" --no-print-directory -j"$(nproc)" CC=aarch64-linux-gnu-gcc \
        CROSS=aarch64-linux-gnu CFLAGS=-O3 LDFLAGS= BUILD="$cross" "$cross/kernel_check" "$cross/mneme"
    expect 0 "$name" 'neon.*|kernel check: [1-9][0-9]* passed, 0 failed' qemu-aarch64 "$cross/kernel_check"
    if grep -q neon "$work/out"; then
        pass "the kernel check ran NEON"
    else
        fail "the kernel check ran NEON" "it does not name it"
    fi
    expect 0 "NEON is equivalent to the reference" ', 0 not equivalent' \
        env -u MNEME_ISA OMP_NUM_THREADS=1 qemu-aarch64 "$cross/mneme" verify --reference tests/reference
    check "the reference ran on NEON" grep -q '^instruction sets: .*neon.*the same bits on each' "$work/out"
    expect 0 "mneme info under qemu" '^isa +neon' env -u MNEME_ISA qemu-aarch64 "$cross/mneme" info
fi
