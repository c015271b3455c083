# shellcheck shell=bash
# Sourced by tests/scripts/*.sh, which run from the top folder. Each test prints
# "ok NAME", "not ok NAME: why" or "skip: NAME: why". With MNEME_CHECK=NAME only the check of that
# name does: the script goes through those before it, on which it may build, and ends after it.

set -u
: "${BUILD:=$PWD/build}" "${CC:=gcc}" "${CFLAGS:=}" "${MNEME_CHECK:=}"
export PATH="$BUILD:$PATH" # a script can be run alone
failures=0 told=0
work=$(mktemp -d)

# Left to itself the shell would exit with the status of the last test, whatever came before.
finish() {
    local status=$1
    rm -rf "$work"
    if [ -n "$MNEME_CHECK" ] && [ "$told" -eq 0 ]; then
        echo "not ok $MNEME_CHECK: no check of that name"
        failures=1
    fi
    exit $((status > 0 ? status : failures > 0))
}
trap 'finish $?' EXIT

# tell NAME LINE [COMMAND...]: prints the result of a check, and what the command prints about it.
tell() {
    [ -z "$MNEME_CHECK" ] || [ "$MNEME_CHECK" = "$1" ] || return 0
    told=1
    echo "$2"
    [[ $2 != "not ok"* ]] || failures=$((failures + 1))
    shift 2
    "${@:-:}"
    [ -z "$MNEME_CHECK" ] || exit 0
}

pass() {
    tell "$1" "ok $1"
}

# fail NAME WHY [COMMAND...]: the command prints more.
fail() {
    tell "$1" "not ok $1: $2" "${@:3}"
}

skip() {
    tell "$1" "skip: $1: $2"
}

show() {
    head -n 20 "$@" | sed 's/^/    /'
}

# check NAME COMMAND...: passes when the command succeeds; its output is shown when it fails.
check() {
    local name=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        pass "$name"
    else
        fail "$name" "exit status $? of: $*" show "$work/output"
    fi
}

# expect STATUS NAME PATTERN COMMAND...: the command must exit with that status, and all that it
# prints must hold the extended regular expression. An error must be told in one line. Leaves the
# output in $work/out and $work/err.
expect() {
    local wanted=$1 name=$2 pattern=$3 status why=
    shift 3
    "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    if [ "$status" -ne "$wanted" ]; then
        why="exit status $status instead of $wanted of: $*"
    elif ! cat "$work/out" "$work/err" | grep -qE -- "$pattern"; then
        why="nothing like '$pattern' in the output of: $*"
    elif [ "$wanted" -ne 0 ] && [ "$(wc -l <"$work/err")" -ne 1 ]; then
        why="the error is not one line: $*"
    fi
    if [ -z "$why" ]; then
        pass "$name"
    else
        fail "$name" "$why" show "$work/out" "$work/err"
    fi
}

# A build with a sanitizer cannot be linked against by programs built without.
is_sanitized() {
    case $CFLAGS in *-fsanitize*) return 0 ;; esac
    return 1
}
