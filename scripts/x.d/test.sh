# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The test lanes. gtest and pytest leave a JUnit file, which scripts/totals.py counts.

test_lanes=(unit lint kernel cli library shapes conformance engines faults guest)
test_preset=debug
results=build/results
total_passed=0
total_failed=0
total_skipped=0
guest_all=0
guest_args=()
image_job=

# These wait more than they compute, and leave each other alone: they run at once where they follow each other.
beside=(engines faults)
declare -A beside_jobs=()

add_totals() {
  total_passed=$((total_passed + $1))
  total_failed=$((total_failed + $2))
  total_skipped=$((total_skipped + $3))
}

# count LANE STATUS FILE: adds what the file says. No file, no test in it, or a runner that failed
# without a failed test: one failure.
count() {
  local lane=$1 status=$2 file=$3 passed failed skipped
  $python scripts/totals.py "$lane" "$status" "$file" >"$results/$lane.summary" || true
  head -n -1 "$results/$lane.summary"
  read -r passed failed skipped < <(tail -n 1 "$results/$lane.summary")
  add_totals "${passed:-0}" "${failed:-1}" "${skipped:-0}"
}

# has PATH: a lane whose tests are not there fails.
has() {
  [[ -e $1 ]] && return
  printf '  FAILED  there is no %s\n' "$1"
  add_totals 0 1 0
  return 1
}

# gtest_lane LANE BINARY
gtest_lane() {
  local lane=$1 binary=$2 status=0 file=$results/$1.xml
  (build "$test_preset" "$binary") || status=$?
  if ((status == 0)); then
    "build/$test_preset/$binary" --gtest_output="xml:$file" --gtest_brief=1 </dev/null || status=$?
  fi
  count "$lane" "$status" "$file"
}

# A place of this run's own: pytest closes the shared one to others whenever another run begins, and a
# user namespace's root must reach the images in it.
make_test_root() {
  test_root=$(mktemp --directory "${TMPDIR:-/tmp}/berth-tests.XXXXXX")
  chmod 755 "$test_root"
  export PYTEST_DEBUG_TEMPROOT=$test_root
  trap 'interrupt_beside; rm -rf --one-file-system "$test_root"' EXIT
}

# pytest_lane LANE [PYTEST ARGUMENTS]: runs tests/LANE on the berth of the preset.
pytest_lane() {
  local lane=$1 status=0 file=$results/$1.xml
  shift
  has "tests/$lane" || return 0
  (build "$test_preset") || status=$?
  if ((status == 0)); then
    BERTH=$PWD/build/$test_preset/berth $python -m pytest -q "tests/$lane" \
      --junitxml="$file" -o junit_family=xunit2 -p no:cacheprovider "$@" </dev/null || status=$?
  fi
  count "$lane" "$status" "$file"
}

lane_unit() { gtest_lane unit unit_tests; }
lane_kernel() { gtest_lane kernel kernel_tests; }
lane_cli() { pytest_lane cli -n 2 --timeout=120; }

# libberth as users get it: the release build, installed; examples are compiled against it and run.
lane_library() {
  local status=0 file=$results/library.xml prefix=$test_root/prefix
  (build release berth library) && cmake --install build/release --prefix "$prefix" >/dev/null &&
    cmake --install build/release --prefix "$prefix" --component library >/dev/null || status=$?
  if ((status == 0)); then
    BERTH=$PWD/build/release/berth BERTH_PREFIX=$prefix $python -m pytest -q tests/library -n 2 --timeout=300 \
      --dist=loadgroup --junitxml="$file" -o junit_family=xunit2 -p no:cacheprovider </dev/null || status=$?
  fi
  count library "$status" "$file"
}

# shape NAME REPOSITORY FILE [COMMAND...]: tests/cli in that shape, run by the command.
shape() {
  local name=$1 repository=$2 file=$3 status=0
  shift 3
  BERTH_SHAPE=$name BERTH=$repository/build/$test_preset/berth "$@" $python -m pytest -q tests/cli -n 2 --timeout=120 \
    --junitxml="$file" -o junit_family=xunit2 -p no:cacheprovider </dev/null || status=$?
  count "shapes-$name" "$status" "$file"
}

# The tests of cgroups where only v2 is mounted. CI's machines have v1 beside it; the guest has all controllers on v2.
shape_pure_v2() {
  local status=0 file=$results/shapes-pure-v2.xml
  local -a tests=(config_linux delete devices exec_cgroup idmap kill mount_filesystems pause ps resource_fields resources
    update update_transaction)
  tests=("${tests[@]/#/tests/cli/test_}")
  tests=("${tests[@]/%/.py}")
  BERTH=$PWD/build/$test_preset/berth tests/cli/pure_v2 $python -m pytest -q "${tests[@]}" -n 2 \
    --timeout=120 --junitxml="$file" -o junit_family=xunit2 -p no:cacheprovider </dev/null || status=$?
  count shapes-pure-v2 "$status" "$file"
}

# The command-line tests again: with a user namespace for each container, as an ordinary user, and (few) on pure v2.
lane_shapes() {
  local place=$test_root/rootless
  if ! (build "$test_preset"); then
    count shapes 1 /dev/null
    return
  fi
  shape userns "$PWD" "$results/shapes-userns.xml" env
  shape_pure_v2
  mkdir "$place"
  # Short: the path of a socket has 107 characters at most.
  shape rootless "$place/repository" "$place/home/shapes.xml" \
    env --unset=PYTEST_DEBUG_TEMPROOT PYTEST_ADDOPTS="--basetemp=$place/home/t" tests/cli/rootless "$place"
}

lane_faults() { pytest_lane faults --timeout=300; }

lane_engines() { pytest_lane engines --timeout=300; }

# The image takes minutes: it is made beside the first lanes. SELinux's policy, which only --all needs, takes long to install.
begin_guest_image() {
  [[ -z $image_job ]] || return 0
  deps guest
  ((guest_all)) || export GUEST_SELINUX=0
  nice tests/guest/image >"$results/guest-image.log" 2>&1 &
  image_job=$!
}

# The kernel and command-line tests again, on cgroup v2 under systemd. A guest
# that does not boot leaves no results: that is a failure. --all: in an emulated PC too; --whole: all of it there.
lane_guest() {
  local name status file log
  begin_guest_image
  wait "$image_job" || true # tests/guest/run tries again, and says why not
  ((guest_all)) && deps guest-all
  (build "$test_preset") || true
  while read -r name status file log; do
    ((status == 0)) || grep -E '^(E  |FAILED|\[  FAILED)|guest stopped' "$log" | head -n 40 || true
    count "guest-$name" "$status" "$file"
  done < <(tests/guest/run ${guest_args[@]+"${guest_args[@]}"} "build/$test_preset/berth" || echo none 1 none /dev/null)
}

lane_lint() {
  run_checks "${lint_checks[@]}"
  add_totals "$lint_passed" "$lint_failed" 0
}

# The peers' suites run on the release binary. The runner prints what it skips and why, and closes
# with the same line as this command.
lane_conformance() {
  local runner=tests/conformance/run log=$results/conformance.log line
  has "$runner" || return 0
  deps conformance
  if (build release); then
    BERTH=$PWD/build/release/berth "$runner" </dev/null 2>&1 | tee "$log" || true
  fi
  line=$(tail -n 1 "$log" 2>/dev/null || true)
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    add_totals "${BASH_REMATCH[@]:1}"
  else
    printf '  FAILED  %s did not finish\n' "$runner"
    add_totals 0 1 0
  fi
}

run_lane() {
  local TIMEFORMAT="== $1: %0Rs (%0Us and %0Ss of processors)"
  printf '== %s\n' "$1"
  rm -f "$results/$1".*
  { time "lane_$1" 2>&3; } 3>&2 2>&1
}

# Keeps what the lane prints and counts for end_beside, which tells it as if the lane had run alone.
begin_beside() {
  local lane=$1
  rm -f "$results/beside-$lane".*
  install --directory --mode=755 "$test_root/$lane"
  set -m # a process group of its own, for interrupt_beside
  # shellcheck disable=SC2030 # end_beside reads them from the file
  (
    export PYTEST_DEBUG_TEMPROOT=$test_root/$lane
    total_passed=0 total_failed=0 total_skipped=0
    run_lane "$lane"
    echo "$total_passed $total_failed $total_skipped" >"$results/beside-$lane.totals"
  ) >"$results/beside-$lane.output" 2>&1 </dev/null &
  beside_jobs[$lane]=$!
  set +m
}

end_beside() {
  local lane passed failed skipped
  for lane in "${beside[@]}"; do
    [[ -n ${beside_jobs[$lane]:-} ]] || continue
    wait "${beside_jobs[$lane]}" || true
    unset "beside_jobs[$lane]"
    cat "$results/beside-$lane.output"
    passed=0 failed=1 skipped=0
    read -r passed failed skipped <"$results/beside-$lane.totals" || true
    add_totals "$passed" "$failed" "$skipped"
  done
}

interrupt_beside() {
  local job
  for job in "${beside_jobs[@]}"; do
    kill -INT -- "-$job" || true
    wait "$job" || true
  done
}

run_lanes() {
  local lane
  # Packages are installed by one at a time.
  [[ " $* " != *" engines "* ]] || deps engines
  for lane; do
    if [[ " ${beside[*]} " == *" $lane "* ]]; then
      begin_beside "$lane"
    else
      end_beside
      run_lane "$lane"
    fi
  done
  end_beside
}

command_test() {
  local -a lanes=()
  local lane
  while (($#)); do
    case $1 in
      --preset) test_preset=${2:?--preset wants a name} && shift 2 ;;
      --all | --whole) guest_all=1 guest_args=("$1") && shift ;;
      -*) fail "test: unknown argument: $1" ;;
      *) lanes+=("$1") && shift ;;
    esac
  done
  ((${#lanes[@]})) || lanes=("${test_lanes[@]}")
  for lane in "${lanes[@]}"; do
    [[ " ${test_lanes[*]} " == *" $lane "* ]] || fail "no such lane: $lane (${test_lanes[*]})"
  done
  mkdir -p "$results"
  deps build test
  make_test_root
  [[ " ${lanes[*]} " != *" guest "* ]] || begin_guest_image
  run_lanes "${lanes[@]}"
  # shellcheck disable=SC2031
  printf '%s passed, %s failed, %s skipped\n' "$total_passed" "$total_failed" "$total_skipped"
  # shellcheck disable=SC2031
  ((total_failed == 0))
}
