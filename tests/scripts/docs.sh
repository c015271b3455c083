#!/bin/bash
# The documents name only what is there: files, links and their anchors, commands with their options,
# targets of make, floors as tests/floors.sh has them.
# shellcheck disable=SC2016 # backquotes are those of Markdown
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

mapfile -t documents < <(find README.md docs tests perf include data -name '*.md' | sort)
tops='(src|simd|include|data|tests|perf|docs)'

# The anchors that a document's headings make.
anchors() {
    awk '/^```/ { fence = !fence } !fence && /^#/' "$1" | sed -E 's/^#+ +//' | tr '[:upper:]' '[:lower:]' |
        sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# Links of a document that lead nowhere.
broken_links() {
    local document=$1 target file anchor
    awk '/^```/ { fence = !fence } !fence' "$document" | grep -oE '\]\([^)]+\)' | sed -E 's/^\]\(|\)$//g' |
        while read -r target; do
            case $target in *://*) continue ;; esac
            file=${target%%#*} anchor=
            [[ $target != *#* ]] || anchor=${target#*#}
            file=${file:+$(dirname "$document")/$file}
            file=${file:-$document}
            if [ ! -e "$file" ]; then
                echo "$document: $target: no such file"
            elif [ -n "$anchor" ] && ! anchors "$file" | grep -qxF -e "$anchor"; then
                echo "$document: $target: no such heading"
            fi
        done
}

# Files that a text names by their path from the top, and that are not there. Places to be filled in
# have capitals or dots.
missing_files() {
    grep -noE "(^|[^A-Za-z0-9_./-])$tops/[A-Za-z0-9_./*-]*[A-Za-z0-9_*]" "$1" |
        sed -E "s,^([0-9]+):[^a-z]?($tops/),\1 \2," | while read -r line path; do
        case $path in *[A-Z][A-Z]* | *...*) [[ $path == *README* ]] || continue ;; esac
        compgen -G "$path" >/dev/null || echo "$1:$line: $path: no such file"
    done
}

# Options in a document's `mneme COMMAND …` that the command's --help does not have.
unknown_options() {
    # A line that ends in a backslash goes on; a command ends at a backquote, a pipe or a comment.
    sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$1" | grep -oE '\bmneme [a-z]+( [^`|#;]*)?' |
        sort -u | while read -r _ command rest; do
        [ -e "$work/help/$command" ] || continue
        grep -oE -- '(^| )--[a-z][a-z-]*' <<<"$rest" | while read -r option; do
            grep -qE -- "(^|[^a-z-])$option([^a-z-]|$)" "$work/help/$command" ||
                echo "$1: mneme $command has no $option"
        done
    done
    { grep -oE '`mneme [a-z]+' "$1"; awk '/^```/ { fence = !fence } fence && /^mneme [a-z]/' "$1"; } |
        sed -E 's/^`?mneme ([a-z]+).*/\1/' | sort -u | while read -r command; do
            [ -e "$work/help/$command" ] || echo "$1: mneme $command: no such command"
        done
}

unknown_targets() {
    grep -oE '(^|`)make ([A-Z]+=[^ `]+ )*[a-z][a-z0-9-]*' "$1" | grep -oE '[a-z0-9-]+$' | sort -u |
        while read -r target; do
            grep -qE "^([a-z0-9-]+ )*$target( [a-z0-9-]+)*:" Makefile || echo "$1: make $target: no such target"
        done
}

# every NAME FUNCTION FILE...: the function finds nothing in any of the files.
every() {
    local name=$1 function=$2 file
    shift 2
    for file in "$@"; do "$function" "$file"; done >"$work/found"
    if [ -s "$work/found" ]; then fail "$name" "$(head -n 5 "$work/found")"; else pass "$name"; fi
}

mkdir "$work/help"
for command in $(mneme --help | sed -nE 's/^  ([a-z]+)  +.*/\1/p'); do
    mneme "$command" --help >"$work/help/$command"
done
every "links lead somewhere" broken_links "${documents[@]}"
mapfile -t manual < <(printf '%s\n' "${documents[@]}" | grep -v '/CHANGELOG')
every "files that documents name are there" missing_files "${manual[@]}"
mapfile -t sources < <(grep -rlE '\bdocs/[a-z]' src simd include tests perf Makefile --include=* | grep -vE '\.md$|/docs\.sh$')
only_documents() { missing_files "$1" | grep ' docs/'; }
every "documents that sources name are there" only_documents "${sources[@]}"
every "commands have the options that documents give them" unknown_options "${documents[@]}"
every "make has the targets that documents name" unknown_targets "${documents[@]}"

# The picture of the floors in hacking.md, from the lowest.
sed -n '/^floors=(/,/^)/p' tests/floors.sh | grep -oE '"[^"]+"' | tr -d '"' >"$work/floors"
awk '/^<!-- floors -->/ { on = 1 } on && /^```/ { on = ++n < 2 } on' docs/hacking.md | sed -nE 's/ *\|.*//p' | tac >"$work/picture"
check "hacking.md shows the floors of tests/floors.sh" diff "$work/floors" "$work/picture"

check "the example with questions of one's own runs" \
    mneme run docs/examples/questions/recipe.json --dir "$work/questions"
check "a recipe runs by its name" mneme run nano --dir "$work/nano" --set pretrain.steps=2

# The checks can fail.
printf '%s\n' '[a](no-such.md) [b](README.md#no-such-heading)' '`src/no_such.c` `mneme run X --no-such`' \
    '`make no-such`' >"$work/wrong.md"
cp README.md "$work"
for finding in broken_links:2 missing_files:1 unknown_options:1 unknown_targets:1; do
    n=$("${finding%:*}" "$work/wrong.md" | wc -l)
    if [ "$n" -eq "${finding#*:}" ]; then
        pass "${finding%:*} finds what is wrong"
    else
        fail "${finding%:*} finds what is wrong" "$n findings"
    fi
done
