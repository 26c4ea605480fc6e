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

# as_root COMMAND...: through sudo when not root, saying so.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
    return
  fi
  [[ -n $(command -v sudo) ]] || fail "root is needed for '$*', and there is no sudo: run it as root"
  say "with sudo: $*"
  sudo "$@"
}
