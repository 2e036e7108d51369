#!/bin/sh
# Finds Proofgate and becomes it: omo or proofgate on PATH, the installer's bin folders, the copy in this plugin.

# Ours begins its help with its name. Any other `omo` is somebody else's program, and must not hang us.
ours() {
  command -v "$1" >/dev/null 2>&1 || return 1
  if command -v timeout >/dev/null 2>&1; then
    help=$(timeout 10 "$1" ulw-loop help </dev/null 2>/dev/null)
  else
    help=$("$1" ulw-loop help </dev/null 2>/dev/null)
  fi
  case $help in "proofgate: "*) return 0 ;; *) return 1 ;; esac
}

# Node 20 or newer, or Bun.
runs() {
  version=$("$1" --version 2>/dev/null) || return 1
  case $version in
    v1[0-9].* | v[0-9].*) return 1 ;;
    v[0-9]*) return 0 ;;
  esac
  case ${1##*/} in bun) return 0 ;; *) return 1 ;; esac
}

home=${HOME:-/nonexistent}
for program in omo proofgate \
  "${XDG_BIN_HOME:-$home/.local/bin}/proofgate" \
  "${XDG_DATA_HOME:-$home/.local/share}/proofgate/bin/proofgate"; do
  ours "$program" && exec "$program" "$@"
done

case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
plugin=$(CDPATH='' cd -P -- "$here/../../.." 2>/dev/null && pwd)
for entry in "$plugin/bin/proofgate.js" "$plugin/dist/proofgate.js" "$plugin/../proofgate.js"; do
  [ -f "$entry" ] || continue
  for node in node "${NVM_BIN:-$home}/node" "$home"/.nvm/versions/node/*/bin/node "$home/.volta/bin/node" \
    "$home/.local/bin/node" /opt/homebrew/bin/node /usr/local/bin/node /usr/bin/node bun "$home/.bun/bin/bun"; do
    runs "$node" && exec "$node" "$entry" "$@"
  done
done

# Nothing found: a line for whoever mends it, in a folder that Git does not see. Never through a link.
root=$(git rev-parse --show-toplevel 2>/dev/null) || root=$PWD
state=$root/.omo/ulw-loop
notepad=$state/bootstrap-notepad.md
if [ ! -L "$root/.omo" ] && [ ! -L "$state" ] && [ ! -L "$notepad" ] && mkdir -p "$state" 2>/dev/null; then
  {
    [ -e "$state/.gitignore" ] || [ -L "$state/.gitignore" ] || echo '*' >"$state/.gitignore"
    echo "- $(date -u +%Y-%m-%dT%H:%M:%SZ) no Proofgate program found for: ${1:-help} ${2:-}" >>"$notepad"
  } 2>/dev/null
fi
echo "proofgate: no program found: no omo or proofgate of ours on PATH or in ~/.local/bin, no copy in the plugin that Node 20 could run." >&2
echo "next: npx proofgate install codex, or install opencode   (the user's to run; noted in .omo/ulw-loop/bootstrap-notepad.md)" >&2
exit 127
