#!/bin/bash
# perf/stat.sh [RECIPE.json | MNEME-ARGUMENTS...]
#
# What a command costs: `perf stat` of a recipe's run in a new folder (default: nano) or of any mneme
# command line. Cycles, instructions, caches and branches where the CPU shows them, otherwise what the
# kernel counts: time, page faults, context switches, migrations.
#
# Variables: PERF (perf), BUILD (build).
# shellcheck source=perf/common/perf_functions.sh
. "$(dirname "$0")/common/perf_functions.sh"

look_for_counters
choose_command "$@"
events=task-clock,page-faults,minor-faults,major-faults,context-switches,cpu-migrations
if [ "$counters" = hardware ]; then
    events+=,cycles,instructions,cache-references,cache-misses,branches,branch-misses
fi
"$PERF" stat -e "$events" -- "${command[@]}"
