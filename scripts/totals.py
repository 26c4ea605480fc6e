#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts a JUnit file of gtest or pytest: totals.py LANE EXIT_STATUS FILE.

Prints each failed test, the reasons of the skips, and as last line "PASSED FAILED SKIPPED".
A run that left no file or no test, or failed without a failed test, counts as one failure.
"""
import collections
import sys
import xml.etree.ElementTree as ElementTree


def test_cases(path):
    try:
        return list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return []


def outcome(case):
    """("passed" | "failed" | "skipped", reason)"""
    for tag in ("failure", "error"):
        if case.find(tag) is not None:
            return "failed", (case.find(tag).get("message") or "").strip()
    skipped = case.find("skipped")
    if skipped is not None:
        reason = skipped.get("message") or skipped.text or ""
        return "skipped", reason.strip().split("\n")[-1] or "no reason given"
    if case.get("status") == "notrun":
        return "skipped", "disabled in the source"
    return "passed", ""


def tally(lane, cases, lines):
    """Counts by outcome; failed tests and the reasons of skips go to lines."""
    counts = collections.Counter()
    skips = collections.Counter()
    for case in cases:
        kind, reason = outcome(case)
        counts[kind] += 1
        if kind == "skipped":
            skips[reason] += 1
        if kind == "failed":
            lines.append(f"  FAILED  {lane}: {case.get('classname')}.{case.get('name')}")
    lines += [f"  skipped {number}: {reason}" for reason, number in skips.most_common()]
    return counts


def summary(lane, status, path):
    lines = []
    counts = tally(lane, test_cases(path), lines)
    if not counts:
        lines.append(f"  FAILED  {lane}: no test ran (exit status {status})")
        counts["failed"] = 1
    elif status != "0" and not counts["failed"]:
        lines.append(f"  FAILED  {lane}: status {status}, and no test says why")
        counts["failed"] = 1
    numbers = counts["passed"], counts["failed"], counts["skipped"]
    lines.append("  {}: {} passed, {} failed, {} skipped".format(lane, *numbers))
    lines.append("{} {} {}".format(*numbers))
    return lines


if __name__ == "__main__":
    print("\n".join(summary(*sys.argv[1:])))
