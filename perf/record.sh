#!/bin/bash
# perf/record.sh [RECIPE.json | MNEME-ARGUMENTS...]
#
# Where a command spends its time: `perf record` of a recipe's run in a new folder (default: nano) or
# of any mneme command line, then the functions that took most.
#
# Variables: PERF_DATA (perf.data), FREQUENCY in Hz (99), PERF (perf), BUILD (build), CALL_GRAPH:
# "dwarf,16384" (default) unwinds through libgomp, which has no frame pointers; "fp" follows those of
# mneme, costs far less, and ends at libgomp where a stack is in a parallel region.
# shellcheck source=perf/common/perf_functions.sh
. "$(dirname "$0")/common/perf_functions.sh"

: "${PERF_DATA:=perf.data}" "${FREQUENCY:=99}" "${CALL_GRAPH:=dwarf,16384}"
look_for_counters
choose_command "$@"
event=cycles
[ "$counters" = software ] && event=cpu-clock
"$PERF" record -e "$event" -F "$FREQUENCY" --call-graph "$CALL_GRAPH" -o "$PERF_DATA" -- "${command[@]}"
"$PERF" report -i "$PERF_DATA" --stdio --no-children --no-inline -g none --percent-limit 1 2>/dev/null |
    grep -vE '^(#|$)' || echo "$me: no sample was taken" >&2
echo "more: $PERF report -i $PERF_DATA"
