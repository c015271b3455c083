#!/bin/bash
# `mneme digest` against sha256sum, and on files that are not what they say.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

# safetensors FILE HEADER HEX-BYTES: eight bytes of header length, the header, the data.
safetensors() {
    local length
    length=$(printf '%016x' "${#2}" | sed 's/../&\n/g' | tac | sed 's/^/\\x/' | tr -d '\n')
    # shellcheck disable=SC2059
    printf "$length" >"$1"
    printf '%s' "$2" >>"$1"
    # shellcheck disable=SC2001,SC2059
    printf "$(sed 's/../\\x&/g' <<<"$3")" >>"$1"
}

header='{"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}'
data=0000803f000000400700000000000000
model=$work/model.safetensors
safetensors "$model" "$header" "$data"

a=$(printf '\x07\0\0\0\0\0\0\0' | sha256sum | cut -d' ' -f1)
b=$(printf '\0\0\x80\x3f\0\0\0\x40' | sha256sum | cut -d' ' -f1)
whole=$(printf 'a\tI64\t[]\t%s\nb\tF32\t[2]\t%s\n' "$a" "$b" | sha256sum | cut -d' ' -f1)
expect 0 digest_runs "^$whole" mneme digest "$model"
printf '%s  a I64 []\n%s  b F32 [2]\n%s  (all)\n' "$a" "$b" "$whole" >"$work/expected"
check digest_text diff "$work/expected" "$work/out"
expect 0 digest_short "^$whole\$" mneme digest --short "$model"
expect 0 digest_folder "^$whole\$" mneme digest --short "$work"
expect 0 digest_json "\"sha256\": \"$whole\"" mneme digest --json "$model"

expect 2 digest_missing 'none: ' mneme digest "$work/none"
expect 2 digest_no_models 'empty: ' sh -c "mkdir $work/empty && mneme digest $work/empty"
expect 2 digest_device '/dev/null: ' mneme digest /dev/null
: >"$work/empty.safetensors"
expect 2 digest_empty 'empty.safetensors: ' mneme digest "$work/empty.safetensors"
for size in 4 60 $(($(stat -c %s "$model") - 1)); do
    head -c "$size" "$model" >"$work/cut.safetensors"
    expect 2 "digest_cut_at_$size" 'cut.safetensors: ' mneme digest "$work/cut.safetensors"
done
safetensors "$work/lying.safetensors" "${header/\[2\]/[3]}" "$data"
expect 2 digest_lying_shape 'lying.safetensors: ' mneme digest "$work/lying.safetensors"
printf '\377\377\377\377\377\377\377\177{}' >"$work/huge.safetensors"
expect 2 digest_huge_header 'huge.safetensors: ' mneme digest "$work/huge.safetensors"
newline=${header/\"a\"/\"a\\nb\"}
safetensors "$work/newline.safetensors" "$newline" "$data"
mneme digest "$work/newline.safetensors" >"$work/out" 2>"$work/err"
if [ "$(wc -l <"$work/out")" -le 3 ]; then
    pass digest_line_per_tensor
else
    fail digest_line_per_tensor "a name with a newline takes two lines"
fi
