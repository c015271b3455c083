#!/bin/sh
# Installs the Debian packages that are named and not there yet; does nothing when all are.
set -eu
missing=
native=$(dpkg --print-architecture)
for package in "$@"; do
    # A package without an architecture is this machine's, which may be there for another one too.
    wanted="($native|all)"
    case $package in *:*) wanted=${package#*:} ;; esac
    dpkg-query -W -f '${Architecture} ${Status}\n' "$package" 2>/dev/null |
        grep -qE "^$wanted install ok installed$" || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "deps: all packages are installed"
    exit 0
fi
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "deps: installing$missing"
# Packages of another architecture, such as libssl-dev:arm64.
for package in $missing; do
    case $package in
        *:*) $as_root dpkg --add-architecture "${package#*:}" ;;
    esac
done
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
