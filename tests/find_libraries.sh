#!/bin/sh
# find_libraries.sh NAME...: looks for the libraries of that name as the compiler CC finds them with
# CPPFLAGS and LDFLAGS, and says for each that is missing which package has it. The Makefile asks
# before it compiles anything.
missing=0
: "${CC:=cc}"

# library HEADER LINK-FLAG PACKAGE WHAT-FOR
library() {
    program="#define PCRE2_CODE_UNIT_WIDTH 8
#include <stdio.h>
#include <$1>
int main(void) { return 0; }"
    # shellcheck disable=SC2086 # flags are words
    echo "$program" | $CC -D_GNU_SOURCE ${CPPFLAGS:-} -x c -o /dev/null - ${LDFLAGS:-} $2 \
        >/dev/null 2>&1 && return
    echo "mneme: $4: no <$1>${2:+ or no $2}; Debian has it in $3" >&2
    missing=1
}

if ! command -v "${CC%% *}" >/dev/null; then
    echo "mneme: no compiler $CC; Debian has one in gcc" >&2
    exit 1
fi
for name in "$@"; do
    case $name in
        openmp) library omp.h -fopenmp "gcc, for clang-14 in libomp-14-dev" "OpenMP, for threads" ;;
        sleef) library sleef.h -lsleef libsleef-dev "SLEEF, for exp, log, sin and cos" ;;
        random123) library Random123/philox.h "" librandom123-dev "Random123, for random numbers" ;;
        jansson) library jansson.h -ljansson libjansson-dev "jansson, for JSON" ;;
        crypto) library openssl/evp.h -lcrypto libssl-dev "OpenSSL, for SHA-256" ;;
        pcre2) library pcre2.h -lpcre2-8 libpcre2-dev "PCRE2, for tokenizers" ;;
        utf8proc) library utf8proc.h -lutf8proc libutf8proc-dev "utf8proc, for the normal forms of tokenizers" ;;
        check) library check.h "-lcheck -lsubunit -lrt -lpthread -lm" check "Check, for the tests" ;;
        *) echo "find_libraries.sh: no library $name" >&2; missing=1 ;;
    esac
done
[ "$missing" -eq 0 ] && exit
echo "mneme: \`make deps\` installs all of them on Debian; for other systems see docs/building.md" >&2
exit 1
