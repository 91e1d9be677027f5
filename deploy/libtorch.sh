#!/usr/bin/env bash
# Puts libtorch 2.4.1 (CPU part) on this machine for the feature `bert`, from packages of the Python index, checked against the
# SHA-256 sums below, and prints what to set. Does nothing when it is there. About 815 MB are fetched, 530 MB stay.
#
#   eval "$(deploy/libtorch.sh)"            then   cargo build --release --features bert
#
# Folder: the first argument, else $TOCSIN_LIBTORCH, else the user's cache. Needs python3 with pip, and gcc.
# Exit codes: 3 a tool is missing or the machine is of another kind, 4 the package index does not answer.
set -euo pipefail

home=${1:-${TOCSIN_LIBTORCH:-${XDG_CACHE_HOME:-$HOME/.cache}/tocsin/libtorch-2.4.1}}
home=$(realpath -m "$home")

say() { printf '%s\n' "$*" >&2; }

settings() {
    printf 'export LIBTORCH=%q\n' "$1"
    # packages of the index are built with the old string layout
    printf 'export LIBTORCH_CXX11_ABI=0\n'
}

if [ -f "$home/.complete" ]; then
    settings "$home"
    exit 0
fi
if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
    say "only Linux x86-64 is scripted: install libtorch 2.4 for the CPU yourself and set LIBTORCH to its folder"
    exit 3
fi
for tool in python3 gcc; do
    command -v "$tool" >/dev/null 2>&1 || { say "$tool is not installed"; exit 3; }
done
python3 -m pip --version >/dev/null 2>&1 || { say "python3 has no pip (Debian: python3-pip)"; exit 3; }

# Fetched aside and moved in one step: an interrupted run leaves nothing half done.
mkdir -p "$(dirname "$home")"
aside=$(mktemp -d "$(dirname "$home")/.libtorch-XXXXXX")
trap 'rm -rf "$aside"' EXIT

cat >"$aside/requirements.txt" <<'PINS'
torch==2.4.1 --hash=sha256:0b5f88afdfa05a335d80351e3cea57d38e578c8689f751d35e0ff36bce872113
nvidia-cuda-runtime-cu12==12.1.105 --hash=sha256:6e258468ddf5796e25f1dc591a31029fa317d97a0a94ed93468fc86301d61e40
nvidia-cuda-cupti-cu12==12.1.105 --hash=sha256:e54fde3983165c624cb79254ae9818a456eb6e87a7fd4d56a2352c24ee542d7e
PINS
# Platform and Python are named, so that every machine takes the same three files.
if ! python3 -m pip download --quiet --no-cache-dir --no-deps --only-binary=:all: --require-hashes \
    --platform manylinux1_x86_64 --implementation cp --python-version 3.11 --abi cp311 --abi none \
    --dest "$aside/wheels" --requirement "$aside/requirements.txt" >&2; then
    say "the package index gave no libtorch; nothing was changed"
    exit 4
fi

python3 - "$aside" <<'UNPACK'
"""Keeps of the packages what a program without CUDA links and loads."""
import pathlib, shutil, sys, zipfile

aside = pathlib.Path(sys.argv[1])
lib = aside / "libtorch" / "lib"
lib.mkdir(parents=True)
for wheel in (aside / "wheels").glob("*.whl"):
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            path = pathlib.PurePosixPath(name)
            if name.startswith("torch/include/") and not name.endswith("/"):
                to = aside / "libtorch" / path.relative_to("torch")
                to.parent.mkdir(parents=True, exist_ok=True)
            elif path.name in ("libtorch_cpu.so", "libc10.so", "libcudart.so.12", "libcupti.so.12") or path.name.startswith("libgomp"):
                to = lib / path.name
            else:
                continue
            with packed.open(name) as source, open(to, "wb") as sink:
                shutil.copyfileobj(source, sink)
missing = [n for n in ("libtorch_cpu.so", "libc10.so", "libcudart.so.12", "libcupti.so.12") if not (lib / n).exists()]
if missing or not list(lib.glob("libgomp*")):
    sys.exit(f"the packages lack {', '.join(missing) or 'libgomp'}")
UNPACK

# The linker asks for libtorch.so by name; the real one is an empty shell that pulls in CUDA.
gcc -shared -o "$aside/libtorch/lib/libtorch.so" -x c /dev/null
touch "$aside/libtorch/.complete"
if [ ! -f "$home/.complete" ]; then
    rm -rf "$home"
    mv "$aside/libtorch" "$home"
fi
settings "$home"
