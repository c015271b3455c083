# shellcheck shell=bash
# Sourced by tests/scripts/*.sh, which run from the top folder. Each test prints
# "ok NAME", "not ok NAME: why" or "skip: NAME: why".

set -u
: "${BUILD:=$PWD/build}" "${CC:=gcc}" "${CFLAGS:=}"
export PATH="$BUILD:$PATH" # a script can be run alone
failures=0
work=$(mktemp -d)
# Left to itself the shell would exit with the status of the last test, whatever came before.
trap 'status=$?; rm -rf "$work"; exit $((status > 0 ? status : failures > 0))' EXIT

pass() {
    echo "ok $1"
}

fail() {
    echo "not ok $1: $2"
    failures=$((failures + 1))
}

skip() {
    echo "skip: $1: $2"
}

# check NAME COMMAND...: passes when the command succeeds; its output is shown when it fails.
check() {
    local name=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        pass "$name"
    else
        fail "$name" "exit status $? of: $*"
        sed 's/^/    /' "$work/output" | head -n 20
    fi
}

# expect STATUS NAME PATTERN COMMAND...: the command must exit with that status, and all that it
# prints must hold the extended regular expression. An error must be told in one line. Leaves the
# output in $work/out and $work/err.
expect() {
    local wanted=$1 name=$2 pattern=$3 status
    shift 3
    "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    if [ "$status" -ne "$wanted" ]; then
        fail "$name" "exit status $status instead of $wanted of: $*"
    elif ! cat "$work/out" "$work/err" | grep -qE -- "$pattern"; then
        fail "$name" "nothing like '$pattern' in the output of: $*"
    elif [ "$wanted" -ne 0 ] && [ "$(wc -l <"$work/err")" -ne 1 ]; then
        fail "$name" "the error is not one line: $*"
    else
        pass "$name"
        return
    fi
    head -n 20 "$work/out" "$work/err" | sed 's/^/    /'
}

# A build with a sanitizer cannot be linked against by programs built without.
is_sanitized() {
    case $CFLAGS in *-fsanitize*) return 0 ;; esac
    return 1
}
