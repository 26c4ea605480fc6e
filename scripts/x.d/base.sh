# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Words that every command of ./x uses.

# Debian's python, because the modules of Debian's packages are for it alone.
python=/usr/bin/python3

say() { printf 'x: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# need_root WHAT: afterwards "${root[@]}" COMMAND runs as root, through sudo when we are not.
root=()
need_root() {
  [[ $(id -u) != 0 ]] || return 0
  [[ -n $(command -v sudo) ]] || fail "root is needed to $1, and there is no sudo: run this as root"
  say "using sudo to $1"
  root=(sudo)
}
