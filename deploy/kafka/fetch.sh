#!/bin/sh
# Fetches the jars of Apache Kafka 4.2.0 into a cache outside the repository and prints the folder; see ../jars.sh.
# Usage: fetch.sh [folder]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
exec sh "$here/../jars.sh" kafka-4.2.0 "$here/pom.xml" "$@"
