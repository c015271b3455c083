#!/bin/bash
# The library exports names that start with mneme_ and no others, and takes no function from libm
# whose last bit depends on the machine.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

# clang's OpenMP shares a lock of this name between all libraries of a process.
reserved='^\.gomp_critical_user_'

# exports NAME FILE NM-OPTION...
exports() {
    local name=$1 file=$2 names others
    shift 2
    names=$(nm --defined-only --extern-only --format=posix "$@" "$file" | awk 'NF > 1 { print $1 }' | grep -v "$reserved")
    others=$(grep -v '^mneme_' <<<"$names" | tr '\n' ' ')
    if ! grep -q '^mneme_' <<<"$names"; then
        fail "$name" "$file exports nothing"
    elif [ -n "$others" ]; then
        fail "$name" "$file exports $others"
    else
        pass "$name"
    fi
}

# What a public header declares is what the library has, and the other way round.
declared_is_exported() {
    local declared exported
    declared=$(cat include/mneme/*.h | tr '\n' ' ' | grep -oE 'MNEME_API [^;]*;' |
        grep -oE 'mneme_[a-z0-9_]+\(' | tr -d '(' | sort -u)
    exported=$(nm -D --defined-only --format=posix "$BUILD/libmneme.so" | awk '{ print $1 }' |
        grep -v "$reserved" | sort)
    diff <(echo "$declared") <(echo "$exported")
}

# Rule 4 of docs/arithmetic.md: no function of libm that rounds as it likes is linked against.
imports_no_libm_functions() {
    local functions='(sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|sincos|exp|exp2|exp10|expm1'
    functions+='|log|log2|log10|log1p|pow|cbrt|hypot|erf|erfc|lgamma|tgamma)[fl]?'
    ! nm -D --undefined-only --format=posix "$BUILD/libmneme.so" | grep -E "^$functions(@| |\$)"
}
check imports_no_libm_functions imports_no_libm_functions

if is_sanitized; then
    skip exported_symbols "a sanitizer adds its own"
else
    exports exported_symbols_shared "$BUILD/libmneme.so" --dynamic
    exports exported_symbols_static "$BUILD/libmneme.a"
    check declared_is_exported declared_is_exported
fi
