# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The lint lane: each check is one function lint_NAME and counts as one test.

lint_checks=(checks format shell layers sizes docs conformance init_symbols symbols tidy)

# Files that git knows or would add: nothing of a build folder. The clone may be another user's.
sources() {
  git -c safe.directory="$PWD" ls-files --cached --others --exclude-standard -- "$@" | sort -u | existing
}

existing() {
  local file
  while read -r file; do
    if [[ -f $file ]]; then printf '%s\n' "$file"; fi
  done
}

cxx_sources() { sources '*.cc' '*.h' '*.c'; }

lint_checks() { $python scripts/test_checks.py; }
lint_format() { cxx_sources | xargs -r clang-format-19 --dry-run --Werror; }
lint_shell() { shellcheck -x -a x .ci/run; }
lint_layers() { $python scripts/check_layers.py; }
lint_sizes() { $python scripts/check_sizes.py; }
lint_docs() { $python scripts/check_docs.py; }
lint_conformance() { $python scripts/check_conformance.py; }

lint_init_symbols() {
  (build release) && $python scripts/check_init_symbols.py build/release
}

lint_symbols() {
  (build release) && $python scripts/check_symbols.py build/release/berth
}

lint_tidy() {
  (build release) && $python scripts/tidy.py build/release
}

# run_check NAME: its output only when it fails; one line of result.
run_check() {
  local name=$1 began=$SECONDS log=build/lint/$1.log
  mkdir -p build/lint
  if "lint_$name" >"$log" 2>&1; then
    printf '  passed  lint/%s (%ss)\n' "$name" $((SECONDS - began))
    return
  fi
  head -n 80 "$log"
  printf '  FAILED  lint/%s (%ss): %s\n' "$name" $((SECONDS - began)) "$log"
  return 1
}

lint_passed=0
lint_failed=0

run_checks() {
  deps lint build
  local name
  for name in "$@"; do
    [[ " ${lint_checks[*]} " == *" $name "* ]] || fail "no such check: $name (${lint_checks[*]})"
  done
  for name in "$@"; do
    if run_check "$name"; then lint_passed=$((lint_passed + 1)); else lint_failed=$((lint_failed + 1)); fi
  done
}

command_lint() {
  run_checks "${@:-${lint_checks[@]}}"
  printf '%s passed, %s failed, 0 skipped\n' "$lint_passed" "$lint_failed"
  ((lint_failed == 0))
}

command_fmt() {
  deps lint
  cxx_sources | xargs -r clang-format-19 -i
}
