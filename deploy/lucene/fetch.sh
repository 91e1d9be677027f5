#!/bin/sh
# Fetches the jars of Lucene Monitor 9.11.1 from Maven Central into a cache outside the repository and prints the folder.
# Needs Java 17 and Maven; does nothing when the jars are there. Usage: fetch.sh [folder]
set -eu

version=9.11.1
here=$(cd "$(dirname "$0")" && pwd)
home=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/tocsin/lucene-$version}

if [ -f "$home/libs/.complete" ]; then
  echo "$home"
  exit 0
fi
for tool in java mvn; do
  command -v "$tool" >/dev/null 2>&1 || { echo "$tool is not installed" >&2; exit 3; }
done

# Fetched aside and moved in one step: an interrupted run leaves nothing half done.
mkdir -p "$home"
aside=$(mktemp -d "$home/.fetch-XXXXXX")
trap 'rm -rf "$aside"' EXIT
mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$aside/libs" >&2
touch "$aside/libs/.complete"
if [ ! -f "$home/libs/.complete" ]; then
  rm -rf "$home/libs"
  mv "$aside/libs" "$home/libs"
fi
echo "$home"
