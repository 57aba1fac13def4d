#!/bin/sh
# Miniflare starts workerd through this file (MINIFLARE_WORKERD_PATH). It moves Miniflare's own entry from a TCP port,
# where it serves every object of the store without a key, to a socket in this folder, which only its owner can open.
set -eu
moved=
for argument; do
  shift
  case $argument in
    --socket-addr=entry=*) argument=--socket-addr=entry=unix:$WHYLIGHT_ENTRY moved=1 ;;
  esac
  set -- "$@" "$argument"
done
[ "$moved" ] || {
  echo 'workerd was not started: its arguments name no entry, so it cannot be closed' >&2
  exit 64
}
rm -f "$WHYLIGHT_ENTRY"
exec "$WHYLIGHT_WORKERD" "$@"
