# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Configure and compile presets; what is built with them: run, fuzz, install.

build_jobs=$(nproc)

groups_of_preset() {
  case $1 in
    release) echo build ;;
    fuzz) echo build fuzz ;;
    *) echo build test ;;
  esac
}

# build PRESET [TARGET...]: all targets when none is named. The log is shown only when it fails. Two at once would write the
# same files: the second waits.
build() {
  local preset=$1
  shift
  local -a targets=()
  (($#)) && targets=(--target "$@")
  # shellcheck disable=SC2046
  deps $(groups_of_preset "$preset")
  mkdir -p build
  local log=build/$preset.log lock
  exec {lock}>"build/$preset.lock"
  flock "$lock"
  say "building $preset${*:+ ($*)}"
  if cmake --preset "$preset" >"$log" 2>&1 &&
    cmake --build "build/$preset" --parallel "$build_jobs" "${targets[@]}" >>"$log" 2>&1; then
    exec {lock}>&-
    return
  fi
  grep -vE '^\[[0-9]+/[0-9]+\]' "$log" | tail -n 60 >&2
  fail "the $preset build failed; all of it is in $log"
}

command_build() {
  local preset
  for preset in "${@:-release}"; do
    build "$preset"
  done
}

command_run() {
  build release
  exec build/release/berth try "$@"
}

command_bench() {
  deps build bench
  build release berth library
  [[ -x tests/perf/bench ]] || fail "tests/perf/bench is not there"
  # As it is installed, like the peers: a linker's output lies in the page cache in small pieces.
  install -D build/release/berth build/perf/berth
  cmake --install build/release --prefix build/perf/library --component library >/dev/null
  BERTH=$PWD/build/perf/berth BERTH_PREFIX=$PWD/build/perf/library exec tests/perf/bench "$@"
}

command_install() {
  local prefix=/usr/local
  while (($#)); do
    case $1 in
      --prefix) prefix=${2:?--prefix wants a directory} && shift 2 ;;
      --prefix=*) prefix=${1#*=} && shift ;;
      *) fail "install: unknown argument: $1" ;;
    esac
  done
  build release berth library
  generate_share
  [[ $prefix == /* ]] || prefix=$PWD/$prefix
  if mkdir -p "$prefix" 2>/dev/null && [[ -w $prefix ]]; then
    install_release "$prefix"
  else
    need_root "install to $prefix"
    "${root[@]}" bash -c "$(declare -f install_release); install_release \"\$1\"" install "$prefix"
  fi
  say "installed to $prefix"
}

install_release() {
  cmake --install build/release --prefix "$1" >/dev/null
  cmake --install build/release --prefix "$1" --component library >/dev/null
  cp -R build/release/share "$1/"
  mkdir -p "$1/lib/systemd/system"
  sed "s|/usr/local/|$1/|" systemd/berth-lxcfs.service >"$1/lib/systemd/system/berth-lxcfs.service"
}

# Fails where a function or a type has no comment. Members of a structure may be told of by its own.
command_docs() {
  deps docs
  rm -rf build/docs
  mkdir -p build/docs
  doxygen docs/Doxyfile
  sed -i '/^$/d; /(variable)\|(enumvalue)/d' build/docs/warnings
  [[ ! -s build/docs/warnings ]] || { cat build/docs/warnings >&2; fail "the reference has gaps"; }
  say "wrote build/docs/html/index.html"
}

# Man pages and completions, all from the program's own command table.
generate_share() {
  local berth=build/release/berth share=build/release/share page
  rm -rf "$share"
  mkdir -p "$share"/{man/man8,bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
  "$berth" __gen completion bash >"$share/bash-completion/completions/berth"
  "$berth" __gen completion zsh >"$share/zsh/site-functions/_berth"
  "$berth" __gen completion fish >"$share/fish/vendor_completions.d/berth.fish"
  while read -r page; do
    "$berth" __gen scdoc "$page" | scdoc >"$share/man/man8/$page.8"
  done < <(sed -e 's/#.*//' -e '/^ *$/d' docs/man/pages.txt)
}

# fuzz_targets: tests/fuzz/NAME.cc is the target NAME.
fuzz_targets() {
  local source
  for source in tests/fuzz/*.cc; do
    if [[ -e $source ]]; then basename "$source" .cc; fi
  done
}

run_fuzz_target() {
  local name=$1 seconds=$2 binary
  binary=$(find build/fuzz -name "$name" -type f -executable -print -quit)
  [[ -n $binary ]] || fail "no fuzz target $name was built"
  mkdir -p "build/corpus/$name" "build/findings/$name"
  say "fuzzing $name for $seconds seconds"
  local -a corpus=("build/corpus/$name")
  local seeds=tests/fuzz/corpus/${name%_fuzzer}
  [[ -d $seeds ]] && corpus+=("$seeds")
  "$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/findings/$name/" "${corpus[@]}" 2>"build/findings/$name.log" ||
    { tail -n 40 "build/findings/$name.log" >&2; fail "$name found something: build/findings/$name"; }
  grep '^stat::number_of_executed_units' "build/findings/$name.log" || true
}

command_fuzz() {
  local seconds=60 target
  local -a targets=()
  while (($#)); do
    case $1 in
      --seconds) seconds=${2:?--seconds wants a number} && shift 2 ;;
      --seconds=*) seconds=${1#*=} && shift ;;
      -*) fail "fuzz: unknown argument: $1" ;;
      *) targets+=("$1") && shift ;;
    esac
  done
  ((${#targets[@]})) || mapfile -t targets < <(fuzz_targets)
  ((${#targets[@]})) || fail "there is no fuzz target in tests/fuzz"
  build fuzz "${targets[@]}"
  for target in "${targets[@]}"; do
    run_fuzz_target "$target" "$seconds"
  done
}
