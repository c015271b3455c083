#!/bin/bash
# perf/stat.sh and perf/record.sh: which events they ask for, with a stand-in for perf; and with the
# real one, where it may count, a stack from within a step up to main.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

# fake NAME ANSWER STATUS: a perf that answers so on standard error when it tries an event, and
# otherwise prints its arguments.
fake() {
    cat >"$work/$1" <<END
#!/bin/sh
case "\$*" in
    'stat -x, -e cycles true') echo '$2' >&2; exit $3 ;;
    'stat -x, -e task-clock true') exit ${4:-0} ;;
    report*) echo "    100.00%  function" ;;
    *) echo "asked: \$*" ;;
esac
END
    chmod +x "$work/$1"
}

fake with_counters '12345,,cycles:u,100,100.00,,' 0
fake without_counters '<not supported>,,cycles:u,0,100.00,,' 0
fake with_refused_counters 'The cycles event is not supported.' 1
fake forbidden 'no permission' 1 1

expect 0 "stat asks for hardware counters" 'asked: stat -e [a-z,-]*,cycles,instructions.* -- .*mneme run data/recipes/nano.json --dir ' \
    env PERF="$work/with_counters" perf/stat.sh
for answer in without_counters with_refused_counters; do
    expect 0 "stat falls back: $answer" 'asked: stat -e task-clock,page-faults[a-z,-]* -- .*mneme info --json$' \
        env PERF="$work/$answer" perf/stat.sh info --json
    check "stat says so: $answer" grep -q "hides the CPU's counters" "$work/err"
    check "stat asks for no cycles: $answer" sh -c "! grep -q cycles '$work/out'"
done
expect 0 "record asks for cycles" 'asked: record -e cycles .*mneme run data/recipes/tiny.json --dir ' \
    env PERF="$work/with_counters" perf/record.sh data/recipes/tiny.json
expect 0 "record falls back" 'asked: record -e cpu-clock ' \
    env PERF="$work/without_counters" perf/record.sh info
PERF="$work/forbidden" perf/record.sh info >"$work/out" 2>"$work/err"
if [ $? -eq 1 ] && grep -q 'sysctl kernel.perf_event_paranoid=2' "$work/err"; then
    pass "where perf is forbidden the sysctl is named"
else
    fail "where perf is forbidden the sysctl is named" "$(cat "$work/err")"
fi
expect 1 "where perf is missing its package is named" 'install linux-perf' \
    env PERF="$work/no-such-perf" perf/stat.sh info
expect 0 "record --help" '^perf/record.sh \[RECIPE' perf/record.sh --help
expect 0 "stat --help" '^perf/stat.sh \[RECIPE' perf/stat.sh --help

if is_sanitized; then
    skip "a recorded stack reaches main" "a sanitizer is in its way"
elif ! perf stat -e task-clock true >/dev/null 2>&1; then
    skip "a recorded stack reaches main" "perf is missing or forbidden"
else
    check "nano is recorded" env PERF_DATA="$work/perf.data" perf/record.sh
    perf script -i "$work/perf.data" --no-inline -F ip,sym >"$work/stacks" 2>/dev/null
    if awk 'BEGIN { RS = "" } / (step_run|model_forward)/ && / main\n/ { found = 1 } END { exit !found }' \
        "$work/stacks"; then
        pass "a recorded stack reaches main"
    else
        fail "a recorded stack reaches main" "none of $(grep -c '^$' "$work/stacks") does"
    fi
    check "frame pointers are kept" env PERF_DATA="$work/perf.data" CALL_GRAPH=fp perf/record.sh
    perf script -i "$work/perf.data" --no-inline -F ip,sym >"$work/stacks" 2>/dev/null
    check "by frame pointers a stack reaches main" \
        awk 'BEGIN { RS = "" } / mneme_run\n/ && / main\n/ { found = 1 } END { exit !found }' "$work/stacks"
fi
