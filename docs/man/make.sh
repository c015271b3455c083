#!/bin/sh
# make.sh PROGRAM FOLDER: the man pages mneme.1 and mneme-COMMAND.1, made by help2man from what the
# program says of itself. Their date is SOURCE_DATE_EPOCH's: the same source gives the same pages.
set -eu
program=$(realpath "$1") folder=$2 here=$(dirname "$0")
: "${SOURCE_DATE_EPOCH:?}"
export LC_ALL=C TZ=UTC
version=$("$program" --version | sed 's/^mneme //')
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)
mkdir -p "$folder"

# page NAME SUMMARY INCLUDE [COMMAND]
page() {
    help2man --no-info --manual='mneme manual' --source="mneme $version" --name="$2" \
        --version-string="$1 $version" --include="$here/$3" \
        "sh '$here/help.sh' '$program' ${4:-}" |
        sed "/^\.TH/s/\"1\" \"[^\"]*\"/\"1\" \"$date\"/" >"$folder/$1.1.new"
    [ -s "$folder/$1.1.new" ] || exit 1
    mv "$folder/$1.1.new" "$folder/$1.1"
}

page mneme 'memory-layer transformers on CPUs, the same bits everywhere' mneme.h2m
"$program" --help | sed -nE 's/^  ([a-z]+)  +(.*)/\1 \2/p' | while read -r command summary; do
    page "mneme-$command" "$summary" command.h2m "$command"
done
