#!/bin/sh
# Called as: handler.sh SRC DST. SRC/notification.json is the event, SRC/downloads holds its files; what lies in
# DST/uploads afterwards is the result. Here, lines are counted: put your own work in its place.
set -eu
source=$1
destination=$2

cd "$source/downloads"
{
  echo 'file,lines'
  # -L: inputs may be links. One file at a time, whatever its name is.
  find -L . -type f -exec sh -c '
    for file do printf "%s,%s\n" "${file#./}" "$(wc -l < "$file" | tr -d " ")"; done
  ' sh {} + | LC_ALL=C sort
} > "$destination/uploads/lines.csv"
echo "counted"
