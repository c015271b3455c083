#!/bin/bash
# The program's manners: help, wrong usage, exit statuses, output that cannot be written.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

version=$(sed -nE 's/^#define MNEME_VERSION "(.*)"$/\1/p' include/mneme/version.h)
expect 0 help 'usage: mneme COMMAND' mneme --help
expect 0 version "^mneme $version\$" mneme --version
expect 2 unknown_command 'unknown command ifno; did you mean info\?' mneme ifno
expect 2 no_suggestion 'unknown command frobnicate \(see' mneme frobnicate
mneme >"$work/out" 2>"$work/err"
if [ $? -eq 2 ] && [ ! -s "$work/out" ] && grep -q usage: "$work/err"; then
    pass no_command
else
    fail no_command "no help on standard error with exit status 2"
fi

commands=$(mneme --help | sed -nE 's/^  ([a-z]+)  +.*/\1/p')
for command in $commands; do
    expect 0 "${command}_help" "^mneme $command" mneme "$command" --help
    expect 2 "${command}_unknown_option" "unknown option --no-such" mneme "$command" --no-such
    expect 2 "${command}_unknown_letter" "unknown option -x" mneme "$command" -xy
    expect 2 "${command}_too_many" "unexpected argument|missing" mneme "$command" a b c d
done
expect 2 missing_operand 'digest: an argument is missing' mneme digest
expect 2 missing_value 'a value is missing after --dir' mneme run --dir
expect 2 no_number '^mneme slots: --overlap x: must be a number$' mneme slots run --overlap x
expect 2 needed_option '^mneme trace: --out is needed \(see' mneme trace run --step 1
expect 2 needless_value 'takes no value: --json=1' mneme info --json=1

expect 0 info '^isa +[a-z0-9]+ \(available: .*scalar' mneme info
expect 0 info_json '"isas": \["scalar"' mneme info --json
expect 0 info_isa_scalar '^isa +scalar' env MNEME_ISA=scalar mneme info
MNEME_ISA=vax mneme info >"$work/out" 2>"$work/err"
if [ $? -eq 2 ] && grep -q 'MNEME_ISA=vax' "$work/err"; then
    pass info_isa_unknown
else
    fail info_isa_unknown "an instruction set that is not there must be refused"
fi
expect 1 full_disk 'standard output: cannot be written: No space' sh -c 'mneme info >/dev/full'

# Threads that wait for each other leave the CPU to others, unless the environment decides.
spin_count() { # the number, as libgomp tells it of the program that runs in the end
    env -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose "$@" mneme info 2>&1 |
        sed -n "s/.*GOMP_SPINCOUNT = '\(.*\)'.*/\1/p" | tail -n 1
}
check "waiting threads spin briefly" [ "$(spin_count env -u GOMP_SPINCOUNT)" = 1000 ]
check "a spin count that is set stays" [ "$(spin_count env GOMP_SPINCOUNT=77)" = 77 ]
