#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# enter.sh NAME LAYOUT DIRECTORY COMMAND...: runs COMMAND where all that it leaves behind ends with it: in process,
# mount, network and cgroup namespaces of its own, in an empty tmpfs on DIRECTORY, with /sys/fs/cgroup showing only
# the cgroups NAME made for it. LAYOUT is hybrid, v1 (without the v2 hierarchy) or v2.
set -euo pipefail

# hierarchies: a line for each mounted cgroup hierarchy: type, options, mount point, our own cgroup there.
hierarchies() {
  awk 'NR == FNR { split($0, f, ":"); path[f[2]] = f[3]; next }
       { for (i = 7; $i != "-"; i++); type = $(i + 1) }
       type != "cgroup" && type != "cgroup2" { next }
       { key = ""; n = split($(i + 3), option, ",")
         for (j = 1; j <= n; j++) if (option[j] in path && option[j] != "") key = option[j]
         for (k in path) if (type == "cgroup" && k != "" && index("," $(i + 3) ",", "," k ",")) key = k
         if (type == "cgroup2") key = ""
         if (!($5 in seen)) print type, key == "" ? "none" : key, $5, path[key]
         seen[$5] = 1 }' /proc/self/cgroup /proc/self/mountinfo
}

join_cgroup() {
  local directory=$1
  mkdir -p "$directory"
  # A new cpuset is empty, and then takes no process.
  if [[ -e $directory/cpuset.cpus && -e $directory/cgroup.clone_children ]]; then
    cat "$directory/../cpuset.cpus" >"$directory/cpuset.cpus"
    cat "$directory/../cpuset.mems" >"$directory/cpuset.mems"
  fi
  echo $$ >"$directory/cgroup.procs"
}

outside() {
  local name=$1 layout=$2 type option point own place
  while read -r type option point own; do
    [[ $layout != v2 ]] || own=${own%/*}
    place=$point${own%/}/$name
    join_cgroup "$place"
  done < <(hierarchies)
  shift
  [[ $layout != v2 ]] || exec unshare --cgroup "$0" --leaf "$place" "$@"
  exec unshare --cgroup --mount --net --pid --fork --kill-child --mount-proc "$0" --inside "$@"
}

# On v2 the root that is seen gives all controllers to those below it, and so has no process itself.
leaf() {
  local place=$1
  shift
  mkdir "$place/shell"
  echo $$ >"$place/shell/cgroup.procs"
  sed -E 's/\S+/+&/g' "$place/cgroup.controllers" >"$place/cgroup.subtree_control"
  exec unshare --mount --net --pid --fork --kill-child --mount-proc "$0" --inside "$@"
}

# The machine's own cgroup mounts stay as they are, below the new ones.
mount_cgroups() {
  local layout=$1 list type option point
  if [[ $layout == v2 ]]; then
    # The kernel does not mount the same file system twice at a place, but over another one.
    mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
    return
  fi
  list=$(hierarchies)
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while read -r type option point _; do
    [[ $type == cgroup || $layout == hybrid ]] || continue
    mkdir "$point"
    [[ $type == cgroup ]] || option=rw
    [[ $option != name=* ]] || option=none,$option
    mount -t "$type" -o "$option" "$type" "$point"
  done <<<"$list"
}

# A frozen process does not die, and we would wait for it.
thaw() {
  local file
  find /sys/fs/cgroup -mindepth 2 \( -name freezer.state -o -name cgroup.freeze \) | while read -r file; do
    [[ $file == *.state ]] && echo THAWED >"$file" || echo 0 >"$file"
  done
}

inside() {
  local layout=$1 directory=$2 status=0
  shift 2
  ip link set lo up
  # A test of crun's wants process ids of five digits.
  { echo 20000 >/proc/sys/kernel/ns_last_pid; } 2>/dev/null || true
  mount_cgroups "$layout"
  mount -t tmpfs -o mode=1777 tmpfs "$directory"
  cd "$directory"
  # This shell stays: it is the first process, which has to reap what others leave.
  "$@" || status=$?
  thaw
  exit "$status"
}

case $1 in
  --leaf) leaf "${@:2}" ;;
  --inside) inside "${@:2}" ;;
  *) outside "$@" ;;
esac
