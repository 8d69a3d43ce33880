#!/bin/sh
# image_root.sh BIN BASE ROOT: makes ROOT, what the image has beside Debian: the programs in BIN, stripped, and those of
# their libraries that are not in the list BASE.
set -eu
bin=$1 base=$2 root=$3
mkdir -p "$root/usr/bin" "$root/run/socketeer"
for program in socketeerd socketeer; do
  strip -o "$root/usr/bin/$program" "$bin/$program"
done
linked=$(ldd "$bin/socketeerd" "$bin/socketeer")
case $linked in *"not found"*) echo "$linked" >&2 && exit 1 ;; esac
echo "$linked" | sed -nE 's|.* => (/[^ ]+) .*|\1|p' | sort -u | while read -r library; do
  place=$(readlink -f "${library%/*}")/${library##*/} # /lib is a link to /usr/lib
  ! grep -qxF "$place" "$base" || continue
  mkdir -p "$root${place%/*}"
  cp "$place" "$root$place" # the file, under the name that is looked for
done
