#!/bin/sh
# as_c_string.sh FILE: the file's lines as string literals of C, for an #include in an initializer.
sed 's/[\\"]/\\&/g; s/??/?""?/g; s/.*/"&\\n"/' "$1"
