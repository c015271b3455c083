#!/bin/bash
# What `make install` installs can be used: docs/examples is built against it by pkg-config, shared
# and static, and run; the man pages are the same each time and render; `make uninstall` leaves no
# file. A library that is missing is named.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

if is_sanitized; then
    skip install "not with a sanitizer"
    exit 0
fi
if ! command -v pkg-config >/dev/null; then
    skip install "no pkg-config"
    exit 0
fi

stage=$work/stage
make=${MAKE:-make}
unset MAKEFLAGS MFLAGS MAKELEVEL
install_into_stage() {
    # The build folder's own products stay as they are: data is found below another prefix here.
    "$make" install BUILD="$work/build" CC="$CC" CFLAGS=-O0 DESTDIR="$stage" PREFIX=/usr \
        LIBDIR=/usr/lib/here
}
check install_runs install_into_stage

export PKG_CONFIG_PATH=$stage/usr/lib/here/pkgconfig PKG_CONFIG_SYSROOT_DIR=$stage

example=$work/examples
cp -r docs/examples "$work"
check "the example compiles" "$make" -C "$example" CC="$CC" CFLAGS='-O1 -Wshadow -Wconversion -Werror' LDFLAGS=
check "the shared one needs the soname" sh -c "readelf -d '$example/model' | grep -q 'libmneme\.so\.[0-9]'"
check "the static one does not" sh -c "! readelf -d '$example/model-static' | grep -q libmneme"
prompt="Q: Where was"
check "a model for it" mneme run data/recipes/nano.json --dir "$work/run"
{
    echo "ids: $(printf %s "$prompt" | mneme tokenize "$work/run/base")"
    echo "text: $(mneme generate "$work/run/base" "$prompt" --max-tokens 16)"
    echo "SHA-256: $(mneme digest "$work/run/base" --short)"
} >"$work/wanted"

# example_prints NAME COMMAND...: the same as the commands print.
example_prints() {
    local name=$1
    shift
    "$@" "$work/run/base" "$prompt" 2>&1 | sed 's/ ([0-9]* tensors)$//' >"$work/printed"
    check "$name" diff "$work/wanted" "$work/printed"
}
example_prints "the shared example runs" env LD_LIBRARY_PATH="$stage/usr/lib/here" "$example/model"
example_prints "the static example runs" env -u LD_LIBRARY_PATH "$example/model-static"
expect 2 "the example says what is wrong" 'no-such-folder' "$example/model-static" no-such-folder x

check install_version sh -c "[ \"\$(pkg-config --modversion mneme)\" = \
    \"\$('$stage/usr/bin/mneme' --version | sed 's/mneme //')\" ]"
check install_program_runs "$stage/usr/bin/mneme" info
check install_data diff -r data "$stage/usr/share/mneme"

man=$stage/usr/share/man/man1
if ! command -v help2man >/dev/null; then
    skip "man pages" "there is no help2man"
    check "and none is installed" test ! -e "$man"
else
    mneme --help | sed -nE 's/^  ([a-z]+)  +.*/mneme-\1.1/p' | { cat; echo mneme.1; } | sort >"$work/wanted"
    find "$man" -type f -printf '%f\n' | sort >"$work/found"
    check "a man page per command" diff "$work/wanted" "$work/found"
    check "the same pages again" sh -c "SOURCE_DATE_EPOCH=1795737600 sh docs/man/make.sh \
        '$work/build/mneme' '$work/man' && diff -r '$work/man' '$man'"
    if command -v mandoc >/dev/null; then
        check "man pages without a warning" mandoc -T lint -W warning "$man"/*.1
    else
        skip "man pages without a warning" "there is no mandoc"
    fi
    check "every option is in its page" sh -c "test -s '$man/mneme-run.1' && for page in '$man'/mneme-*.1; do
        name=\$(basename \"\$page\" .1)
        mneme \"\${name#mneme-}\" --help | grep -oE -- '--[a-z][a-z-]+' | while read -r option; do
            sed 's/\\\\-/-/g' \"\$page\" | grep -qe \"\$option\" || { echo \"\$name: \$option\"; exit 1; }
        done || exit 1
    done"
fi

"$make" uninstall BUILD="$work/build" DESTDIR="$stage" PREFIX=/usr LIBDIR=/usr/lib/here \
    >/dev/null 2>&1
left=$(find "$stage" -type f -o -type l | tr '\n' ' ')
if [ -z "$left" ]; then pass uninstall; else fail uninstall "left behind: $left"; fi

# A compiler that finds no SLEEF.
cat >"$work/cc" <<END
#!/bin/sh
case "\$*" in *-lsleef*) exit 1 ;; esac
exec $CC "\$@"
END
chmod +x "$work/cc"
"$make" all CC="$work/cc" BUILD="$work/no_sleef" >"$work/out" 2>&1
status=$?
if [ "$status" -eq 2 ] && grep -q 'SLEEF.* libsleef-dev$' "$work/out" && ! grep -q 'CC ' "$work/out"; then
    pass "a missing library is named"
else
    fail "a missing library is named" "exit status $status: $(head -n 3 "$work/out")"
fi
