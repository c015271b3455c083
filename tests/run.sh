#!/bin/bash
# Runs every test that was built, then tests/scripts/*.sh in order, and counts what passed, failed
# and was skipped. `make check` calls it. After `make tests` a part runs alone:
#
#     tests/run.sh SUITE [TEST]                a suite of tests/*/test_SUITE.c, or one of its tests
#     tests/run.sh kernel_check [KERNEL [ISA]] all kernels, one, or one on one instruction set
#     tests/run.sh SCRIPT [CHECK]              tests/scripts/SCRIPT.sh, or its check of that name
#
# Each part says what it found in lines "ok NAME", "not ok NAME" and "skip: NAME: why", or is a
# Check program, whose last line counts for it. A part that fails without saying so counts as one.
set -u
cd "$(dirname "$0")/.." || exit 1

BUILD=$(realpath "${BUILD:-build}")
export BUILD PATH="$BUILD:$PATH"
# Threads that wait must not take the CPU from those that work when the machine has other work too.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0

# count_part NAME STATUS: adds up what is in the log.
count_part() {
    local ok not_ok skips checks bad=0
    ok=$(grep -c '^ok ' "$log")
    not_ok=$(grep -c '^not ok ' "$log")
    skips=$(grep -c '^skip: ' "$log")
    checks=$(sed -nE 's/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+)$/\1 \2 \3/p' \
        "$log" | tail -n 1)
    if [ -n "$checks" ]; then
        # A test that skips passes in Check's eyes.
        local n failures errors
        read -r n failures errors <<<"$checks"
        not_ok=$((failures + errors))
        ok=$((n - not_ok - skips))
    fi
    if [ "$2" -ne 0 ] && [ "$not_ok" -eq 0 ]; then
        echo "not ok $1: exit status $2"
        bad=1
    elif [ "$2" -eq 0 ] && [ $((ok + not_ok + skips)) -eq 0 ]; then
        ok=1
    fi
    passed=$((passed + ok)) failed=$((failed + not_ok + bad)) skipped=$((skipped + skips))
}

# run_part NAME COMMAND...
run_part() {
    local name=$1
    shift
    echo "== $name"
    "$@" 2>&1 | tee "$log"
    count_part "$name" "${PIPESTATUS[0]}"
}

[ -x "$BUILD/mneme" ] && "$BUILD/mneme" info | sed -n 's/^isa */instruction set: /p'
if [ $# -eq 0 ]; then
    [ -x "$BUILD/run_tests" ] && run_part suites "$BUILD/run_tests"
    [ -x "$BUILD/kernel_check" ] && run_part kernel_check "$BUILD/kernel_check"
    for script in tests/scripts/*.sh; do
        run_part "$(basename "$script" .sh)" bash "$script"
    done
elif [ "$1" = kernel_check ]; then
    run_part kernel_check "$BUILD/kernel_check" ${2:+--kernel "$2"} ${3:+--isa "$3"}
elif [ -e "tests/scripts/$1.sh" ]; then
    run_part "$1" env MNEME_CHECK="${2:-}" bash "tests/scripts/$1.sh"
else
    run_part "$1" env MNEME_TEST="$1${2:+.$2}" "$BUILD/run_tests"
fi

echo "checks: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
