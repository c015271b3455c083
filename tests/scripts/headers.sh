#!/bin/bash
# Every header compiles alone: the public ones as C11 and C++ with nothing but include/, the others
# as the library's own files are compiled.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

warnings="-Wall -Wextra -Wshadow -Wconversion -Werror"
cxx=${CXX:-g++}
command -v "$cxx" >/dev/null || cxx=

# compiles LANGUAGE HEADER COMPILER FLAGS...
compiles() {
    local language=$1 header=$2
    shift 2
    printf "#include \"%s\"\ntypedef int not_empty;\n" "$header" >"$work/alone.$language"
    "$@" -x "$language" -fsyntax-only "$work/alone.$language"
}

for header in include/mneme/*.h; do
    name=$(basename "$header" .h)
    # shellcheck disable=SC2086
    check "header_${name}_c" compiles c "mneme/$name.h" "$CC" -std=c11 -pedantic $warnings -Iinclude
    if [ -n "$cxx" ]; then
        # shellcheck disable=SC2086
        check "header_${name}_c++" compiles c++ "mneme/$name.h" "$cxx" -std=c++11 -pedantic \
            $warnings -Iinclude
    else
        skip "header_${name}_c++" "no C++ compiler"
    fi
done

internal_headers() {
    local header
    for header in src/*/*.h simd/simd.h; do
        # shellcheck disable=SC2086
        compiles c "$header" "$CC" -std=c11 -D_GNU_SOURCE $warnings -I. -Isrc -Iinclude ||
            { echo "$header"; return 1; }
    done
}
check headers_internal internal_headers
