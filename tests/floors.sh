#!/bin/bash
# A folder may include headers of its own and of folders on lower floors, never of its neighbours
# or of those above; the program includes the public headers alone. No header includes itself by a
# detour, and no two source files need each other.
set -u
cd "$(dirname "$0")/.." || exit 1

# The floors, from the lowest. Within a line a folder may include from those named before it.
floors=(
    "simd"
    "base tensor profile"
    "nn data"
    "model"
    "train smf eval interchange"
    "recipe method reference"
    "run"
    "compare slots"
    "api"
    "cli"
)
# Rooms of one floor that know nothing of each other.
apart="nn/data data/nn tensor/profile profile/tensor smf/train eval/train eval/smf interchange/train
    interchange/smf interchange/eval reference/recipe reference/method slots/compare"

found=0
for folder in src/*/; do
    name=$(basename "$folder")
    [[ " ${floors[*]} " == *" $name "* ]] && continue
    echo "$folder: not in the table of floors in tests/floors.sh"
    found=1
done

includes() {
    grep -rnE '^#include ["<]([a-z_]+)/' "$@" --include='*.[ch]' --include='*.def'
}

includes simd src | awk -F: -v floors="$(printf '%s\n' "${floors[@]}")" -v apart="$apart" '
    BEGIN {
        n = split(floors, line, "\n")
        for (i = 1; i <= n; i++) {
            m = split(line[i], room, " ")
            for (j = 1; j <= m; j++) { floor[room[j]] = i; place[room[j]] = j }
        }
        n = split(apart, pair, " ")
        for (i = 1; i <= n; i++) forbidden[pair[i]] = 1
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
            wrong = from != to && (floor[to] > floor[from] || \
                    (floor[to] == floor[from] && place[to] >= place[from]) || \
                    (from "/" to) in forbidden)
        }
        if (wrong) {
            printf "%s:%s: %s/ may not include from %s/\n", $1, $2, from, to
            found = 1
        }
    }
    END { exit found }' || found=1

exit "$found"
