# shellcheck shell=bash
# Sourced by perf/record.sh and perf/stat.sh: which perf, which events, which command.

set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
: "${BUILD:=build}" "${PERF:=perf}"
me=perf/$(basename "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

stop() {
    echo "$me: $1" >&2
    exit 1
}

if [ "${1:-}" = --help ]; then
    sed -n '/^# /s/^# //p; /^set/q' "$0" | grep -v '^shellcheck'
    exit 0
fi
command -v "$PERF" >/dev/null || stop "no $PERF: install it (Debian: apt-get install linux-perf)"
[ -x "$BUILD/mneme" ] || stop "no $BUILD/mneme: run make"

# Sets counters to "hardware" or "software", or ends where perf may count nothing.
look_for_counters() {
    local level
    if ! "$PERF" stat -x, -e task-clock true >/dev/null 2>"$work/answer"; then
        sed 's/^/    /' "$work/answer" >&2
        level=$(cat /proc/sys/kernel/perf_event_paranoid 2>/dev/null || echo unknown)
        stop "perf may not count here. kernel.perf_event_paranoid is $level, at most 2 is needed:
    sudo sysctl kernel.perf_event_paranoid=2
(in a container: the capability CAP_PERFMON, and a seccomp profile that allows perf_event_open)"
    fi
    counters=hardware
    if ! "$PERF" stat -x, -e cycles true >/dev/null 2>"$work/answer" ||
        grep -q '<not' "$work/answer"; then
        counters=software
        echo "$me: this machine hides the CPU's counters; software events instead" >&2
    fi
}

# Sets command to what is to be run: of no argument the recipe nano, of a recipe its run in a folder
# that is new, of anything else `mneme ARGUMENTS`.
choose_command() {
    if [ $# -le 1 ] && [[ ${1:-.json} == *.json ]]; then
        command=("$BUILD/mneme" run "${1:-data/recipes/nano.json}" --dir "$work/run")
    else
        command=("$BUILD/mneme" "$@")
    fi
}
