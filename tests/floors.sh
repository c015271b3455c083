#!/bin/bash
# A folder may include headers of its own and of folders on lower floors, never of its neighbours
# or of those above; the program includes the public headers alone. And there is no circle of parts:
# a part is NAME.c with NAME.h, and needs another one when it includes the other's header or uses
# a function that the other's .c defines, whatever header declares it.
set -u
cd "$(dirname "$0")/.." || exit 1

# The floors, from the lowest. Within a line a folder may include from those named before it.
floors=(
    "simd"
    "base report tensor profile"
    "text splitter"
    "nn tokenizer data corpus"
    "model"
    "generate"
    "train smf eval exam interchange patch lesson"
    "recipe method reference folder"
    "run teach"
    "compare slots verify budget"
    "api"
    "cli"
)
# Rooms of one floor that know nothing of each other.
apart="folder/reference exam/train exam/smf interchange/exam patch/exam corpus/nn nn/data data/nn nn/tokenizer tokenizer/nn tensor/profile profile/tensor tensor/report eval/train eval/smf interchange/train
    interchange/eval reference/recipe reference/method slots/compare teach/run"

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

# "PART PART" for each need within simd, src and perf/common. A definition begins in the first
# column, as clang-format leaves it. A header without a .c is no part.
needs() {
    # shellcheck disable=SC2016 # awk's fields, not the shell's
    find simd src perf/common -name '*.[ch]' ! -path 'simd/kernels/*' | sort | xargs awk '
        # The line without comments, without strings, and without members, which may be called
        # like a function.
        function code(line,    kept, at) {
            if (line ~ /^#include/) return line
            while (line != "") {
                at = index(line, in_comment ? "*/" : "/*")
                if (!in_comment) kept = kept (at ? substr(line, 1, at - 1) : line)
                if (!at) break
                line = substr(line, at + 2)
                in_comment = !in_comment
            }
            gsub(/"([^"\\]|\\.)*"/, "", kept)
            gsub(/(->|\.) *[a-z_0-9]+/, "", kept)
            return kept
        }
        FNR == 1 {
            part = FILENAME
            is_source = sub(/\.c$/, "", part)
            sub(/\.h$/, "", part)
            sub(/_absent$/, "", part) # the same functions for builds without the library
            if (is_source) sources[part] = 1
            in_comment = 0
        }
        { line = code($0) }
        line ~ /^#include ".*\.h"/ {
            split(line, piece, "\"")
            to = (piece[2] ~ /^(simd|perf)\// ? "" : "src/") piece[2]
            sub(/\.h$/, "", to)
            includes[part, to] = 1
            next
        }
        is_source && line ~ /^[a-z][^=;]*\(/ && line !~ /^(static|typedef|extern)/ {
            match(line, /[a-z_0-9]+\(/)
            home[substr(line, RSTART, RLENGTH - 1)] = part
        }
        is_source { words[part] = words[part] " " line }
        END {
            for (key in includes) {
                split(key, pair, SUBSEP)
                if (pair[1] in sources && pair[2] in sources && pair[1] != pair[2]) {
                    print pair[1], pair[2]
                }
            }
            for (part in words) {
                n = split(words[part], word, /[^A-Za-z_0-9]+/)
                for (i = 1; i <= n; i++) {
                    if (word[i] in home && home[word[i]] != part) print part, home[word[i]]
                }
            }
        }' | sort -u
}

# tsort names the parts of each circle in lines "tsort: PART".
if ! circles=$(needs | tsort 2>&1 >/dev/null); then
    sed -n 's/.*contains a loop:$/parts that need each other:/p
        s/^tsort: \(.*\/.*\)$/    \1/p' <<<"$circles"
    found=1
fi

exit "$found"
