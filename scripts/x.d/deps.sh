# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Debian packages: which are wanted, which are missing, install them.

package_groups() { awk '!/^#/ && NF { print $1 }' scripts/packages.txt | sort -u; }

packages_of() {
  awk -v groups=" $* " '!/^#/ && NF && index(groups, " " $1 " ") { print $2 }' \
    scripts/packages.txt | sort -u
}

# missing PACKAGE...: those of them that are not installed.
missing() {
  comm -23 <(printf '%s\n' "$@" | sort -u) <(
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
      awk '$1 == "installed" { print $2 }' | sort -u
  )
}

# Nothing on the machine is removed for us: apt says which package stands in the way, and we stop.
apt_install() {
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install \
    --yes --quiet --no-install-recommends --no-remove "$@"
}

# The first try fails when the package lists here are missing or name versions that are gone.
install_packages() {
  local log
  log=$(mktemp)
  if ! apt_install "$@" >"$log" 2>&1; then
    say "updating the package lists and trying again"
    "${root[@]}" apt-get update --quiet >>"$log" 2>&1 || true
    apt_install "$@" >>"$log" 2>&1 || { tail -n 25 "$log" >&2; fail "could not install: $*"; }
  fi
  rm -f "$log"
}

# deps GROUP...: make sure that the groups' packages are there; quick when they are.
deps() {
  local -a wanted absent
  mapfile -t wanted < <(packages_of "$@")
  mapfile -t absent < <(missing "${wanted[@]}")
  ((${#absent[@]})) || return 0
  [[ -n $(command -v apt-get) ]] || fail "no apt-get here; install by hand: ${absent[*]}"
  need_root "install Debian packages"
  say "installing Debian packages: ${absent[*]}"
  install_packages "${absent[@]}"
}

command_deps() {
  local -a known groups=("$@")
  local group
  mapfile -t known < <(package_groups)
  ((${#groups[@]})) || groups=("${known[@]}")
  for group in "${groups[@]}"; do
    [[ " ${known[*]} " == *" $group "* ]] || fail "no such group: $group (there are: ${known[*]})"
  done
  deps "${groups[@]}"
  say "all packages are there: ${groups[*]}"
}
