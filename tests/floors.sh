#!/bin/bash
# A folder may include headers of its own and of folders on lower floors, never of its neighbours
# or of those above; the program includes the public headers alone.
set -u
cd "$(dirname "$0")/.." || exit 1

for folder in src/*/; do
    case $folder in
        src/cli/ | src/experiment/ | src/reference/ | src/train/ | src/smf/ | src/eval/ | \
            src/interchange/ | src/model/ | src/nn/ | src/data/ | src/profile/ | src/base/ | src/tensor/) ;;
        *) echo "$folder: not in the table of floors in tests/floors.sh" ;;
    esac
done >&2

grep -rnE '^#include ["<](simd|mneme|[a-z]+)/' simd src --include='*.[ch]' | awk -F: '
    BEGIN {
        floor["simd"] = 0
        floor["base"] = 1; floor["tensor"] = 1; floor["profile"] = 1
        floor["nn"] = 2; floor["data"] = 2
        floor["model"] = 3
        floor["train"] = 4; floor["smf"] = 4; floor["eval"] = 4; floor["interchange"] = 4
        floor["experiment"] = 5; floor["reference"] = 5
        floor["cli"] = 6
        # The first floor has an order of its own: the others are built on base/.
        below["tensor", "base"] = 1; below["profile", "base"] = 1
    }
    {
        split($1, path, "/")
        from = path[1] == "simd" ? "simd" : path[2]
        match($3, /["<][a-z]+\//)
        to = substr($3, RSTART + 1, RLENGTH - 2)
        if (to == "mneme") {
            wrong = from == "simd"
        } else if (!(to in floor)) {
            wrong = 0 # a system header in a folder
        } else if (from == "cli") {
            wrong = to != "cli"
        } else {
            wrong = from != to && floor[to] >= floor[from] && !((from, to) in below)
        }
        if (wrong) {
            printf "%s:%s: %s/ may not include from %s/\n", $1, $2, from, to
            found = 1
        }
    }
    END { exit found }'
