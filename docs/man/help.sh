#!/bin/sh
# help.sh PROGRAM [COMMAND]: what --help prints, in the form that help2man reads: "Usage:" before the
# synopsis, each on one line, and two blanks between an option and its text.
"$@" --help | awk '
    BEGIN { word = "Usage: " }
    { sub(/\[=FILE\] /, "[=FILE]  ") }
    printed || /^mneme: / { if (printed) print; next }
    /^(usage: )?mneme / { sub(/^usage: /, ""); usage = usage newline word $0; newline = "\n"; word = "  or:  " }
    /^ / { sub(/^ +/, ""); usage = usage " " $0 }
    /^$/ && usage != "" { print usage "\n"; printed = 1 }'
