#!/bin/bash
# The library exports names that start with mneme_ and no others.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

# exports NAME FILE NM-OPTION...
exports() {
    local name=$1 file=$2 names others
    shift 2
    names=$(nm --defined-only --extern-only --format=posix "$@" "$file" | awk 'NF > 1 { print $1 }')
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
    exported=$(nm -D --defined-only --format=posix "$BUILD/libmneme.so" | awk '{ print $1 }' | sort)
    diff <(echo "$declared") <(echo "$exported")
}

if is_sanitized; then
    skip exported_symbols "a sanitizer adds its own"
else
    exports exported_symbols_shared "$BUILD/libmneme.so" --dynamic
    exports exported_symbols_static "$BUILD/libmneme.a"
    check declared_is_exported declared_is_exported
fi
