#!/bin/sh
# count-lines.sh SRC DST: how many lines each file has, as DST/uploads/lines.tsv.
set -eu
source=$1
destination=$2

cd "$source/downloads"
# -L: inputs may be links. One file at a time, whatever its name is.
find -L . -type f -exec sh -c '
  for file do printf "%s\t%s\n" "$(wc -l < "$file")" "${file#./}"; done
' sh {} + | sort -k 2 > "$destination/uploads/lines.tsv"

echo "counted $(wc -l < "$destination/uploads/lines.tsv") files"
