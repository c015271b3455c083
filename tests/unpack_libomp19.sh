#!/bin/sh
# LLVM 19's OpenMP into BUILD/libomp19. Debian does not install it beside LLVM 14's.
set -eu
folder=${BUILD:-build}/libomp19
[ -e "$folder/lib/libomp.so" ] && exit 0
mkdir -p "$folder/packages"
(cd "$folder/packages" && apt-get -o APT::Sandbox::User=root download -qq libomp5-19 libomp-19-dev)
for package in "$folder"/packages/*.deb; do dpkg -x "$package" "$folder/unpacked"; done
mkdir -p "$folder/lib" "$folder/include"
cp -a "$folder"/unpacked/usr/lib/llvm-19/lib/libomp.so* "$folder"/unpacked/usr/lib/llvm-19/lib/libomp-19.so* "$folder/lib/"
cp "$folder"/unpacked/usr/lib/llvm-19/lib/clang/19/include/omp*.h "$folder/include/"
rm -rf "$folder/packages" "$folder/unpacked"
echo "deps: LLVM 19's OpenMP is in $folder"
