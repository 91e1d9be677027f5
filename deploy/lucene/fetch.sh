#!/bin/sh
# Fetches the jars of Lucene Monitor 9.11.1 into a cache outside the repository and prints the folder; see ../jars.sh.
# Usage: fetch.sh [folder]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
exec sh "$here/../jars.sh" lucene-9.11.1 "$here/pom.xml" "$@"
