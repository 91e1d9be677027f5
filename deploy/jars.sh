#!/bin/sh
# Fetches the jars a pom.xml names from Maven Central into a cache outside the repository and prints the folder.
# Needs Java 17 and Maven; does nothing when the jars are there. Usage: jars.sh NAME-VERSION POM [FOLDER]
set -eu

name=$1
pom=$2
home=${3:-${XDG_CACHE_HOME:-$HOME/.cache}/tocsin/$name}

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
mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$aside/libs" >&2
touch "$aside/libs/.complete"
if [ ! -f "$home/libs/.complete" ]; then
  rm -rf "$home/libs"
  mv "$aside/libs" "$home/libs"
fi
echo "$home"
