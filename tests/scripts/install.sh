#!/bin/bash
# What `make install` installs can be used: a program is compiled against it by pkg-config, shared
# and static, and run; `make uninstall` leaves no file.
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

cat >"$work/user.c" <<'END'
#include <mneme/info.h>
#include <mneme/version.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    mneme_info info;
    mneme_error error = {0};
    if (mneme_info_get(&info, &error) != MNEME_OK) return 1;
    printf("%s on %s\n", info.version, info.isa);
    return strcmp(info.version, MNEME_VERSION) != 0;
}
END
export PKG_CONFIG_PATH=$stage/usr/lib/here/pkgconfig PKG_CONFIG_SYSROOT_DIR=$stage

flags() {
    pkg-config "$@" --cflags --libs mneme
}

# shellcheck disable=SC2046
check install_shared_compiles "$CC" -o "$work/shared" "$work/user.c" $(flags)
check install_shared_runs env LD_LIBRARY_PATH="$stage/usr/lib/here" "$work/shared"
check install_shared_needs_soname sh -c "readelf -d '$work/shared' | grep -q 'libmneme\.so\.[0-9]'"

# The library's folder holds both kinds; without the shared one the linker takes the static one.
mkdir "$work/static_only"
cp "$stage/usr/lib/here/libmneme.a" "$work/static_only"
# shellcheck disable=SC2046
check install_static_compiles "$CC" -o "$work/static" "$work/user.c" "-L$work/static_only" \
    $(flags --static | sed "s,-L$stage/usr/lib/here,,")
check install_static_runs env -u LD_LIBRARY_PATH "$work/static"

check install_version sh -c "[ \"\$(pkg-config --modversion mneme)\" = \
    \"\$('$stage/usr/bin/mneme' --version | sed 's/mneme //')\" ]"
check install_program_runs "$stage/usr/bin/mneme" info
check install_data diff -r data "$stage/usr/share/mneme"

"$make" uninstall BUILD="$work/build" DESTDIR="$stage" PREFIX=/usr LIBDIR=/usr/lib/here \
    >/dev/null 2>&1
left=$(find "$stage" -type f -o -type l | tr '\n' ' ')
if [ -z "$left" ]; then pass uninstall; else fail uninstall "left behind: $left"; fi
