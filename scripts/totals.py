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


def main(lane, status, path):
    counts = collections.Counter()
    skips = collections.Counter()
    for case in test_cases(path):
        kind, reason = outcome(case)
        counts[kind] += 1
        if kind == "skipped":
            skips[reason] += 1
        if kind == "failed":
            print(f"  FAILED  {lane}: {case.get('classname')}.{case.get('name')}")
    for reason, number in skips.most_common():
        print(f"  skipped {number}: {reason}")
    if not counts:
        print(f"  FAILED  {lane}: no test ran (exit status {status})")
    elif status != "0" and not counts["failed"]:
        print(f"  FAILED  {lane}: the runner ended with status {status}, and no test says why")
    if not counts["failed"] and (not counts or status != "0"):
        counts["failed"] = 1
    print(f"  {lane}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    print(counts["passed"], counts["failed"], counts["skipped"])


if __name__ == "__main__":
    main(*sys.argv[1:])
