# SPDX-License-Identifier: Apache-2.0
"""From samples to figures, tables and marks."""

import collections
import math
import statistics

# (row, layout or None for both, what, compared with, at most): the first marks, see PERFORMANCE.md.
RATIO_MARKS = (
    ("run", None, "berth", "crun", 0.5),
    ("run", None, "berth", "floor", 1.4),
    ("exec", None, "berth", "floor", 1.3),
    ("exec", "v2", "berth", "crun", 0.35),
    ("exec", "v1", "berth", "crun", 0.2),
    ("exec", None, "library", "crun", 0.25),
    ("state", None, "berth", "crun", 0.4),
    ("kill", None, "berth", "crun", 0.4),
    ("delete-force", None, "berth", "crun", 0.6),
)
# (row, the same without the profile, at most so many ms more)
DIFFERENCE_MARKS = (("run-seccomp", "run", 1.0), ("plan-seccomp", "plan", 1.0))
PEAK_RSS_KB = 2048
COMPILE_SECONDS = 240
HEALING_MS = 30
NETWORK_RATIO = 1.05
RUN_CALLS = 300
SMALLEST_LIMIT = 1 << 20
BINARY_BYTES = 3 * 1024 * 1024
# A second, slow mode (a sleep, a retry) shows as a p95 far from the median.
SLOW_MODE = 2.0
COLUMNS = ("program", "min", "median", "p95", "x floor", "x crun", "CPU", "RSS KB", "faults", "switches", "n", "failed")


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summarize(samples: str) -> dict:
    """row -> program -> figures; wall and CPU in ms."""
    lists = collections.defaultdict(list)
    for line in samples.splitlines():
        label, round_number, *numbers = line.split()
        if int(round_number) > 0:
            lists[label].append([int(number) for number in numbers])
    rows: dict = {}
    for label, measured in lists.items():
        row, program = label.split("/")
        good = [numbers for numbers in measured if numbers[-1] == 0]
        figures: dict = {"n": len(good), "failed": len(measured) - len(good)}
        if good:
            wall, cpu, rss, faults, switches, _ = zip(*good)
            figures |= {"min": min(wall) / 1e6, "median": statistics.median(wall) / 1e6,
                        "p95": percentile(list(wall), 0.95) / 1e6, "cpu": statistics.median(cpu) / 1e3,
                        "maxrss_kb": max(rss), "minflt": statistics.median(faults),
                        "ctxsw": statistics.median(switches)}
        rows.setdefault(row, {})[program] = figures
    return rows


def ratio(row: dict, program: str, other: str) -> float | None:
    values = [row.get(name, {}).get("median") for name in (program, other)]
    return values[0] / values[1] if all(values) else None


def show(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def columns(cells: list[list[str]]) -> str:
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    return "\n".join("  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in
                                                          zip(line[1:], widths[1:]))]).rstrip() for line in cells)


def row_table(title: str, row: dict) -> str:
    cells = [list(COLUMNS)]
    for program, figures in row.items():
        cells.append([program, *(show(figures.get(key)) for key in ("min", "median", "p95")),
                      show(ratio(row, program, "floor")), show(ratio(row, program, "crun")),
                      show(figures.get("cpu")), *(show(figures.get(key), 0) for key in ("maxrss_kb", "minflt", "ctxsw")),
                      str(figures["n"]), str(figures["failed"])])
    return f"{title}\n{columns(cells)}\n"


def calls_table(layout: str, calls: dict) -> str:
    names = list(dict.fromkeys(name for counts in calls.values() for name in counts))
    cells = [["program", *calls]]
    cells += [[name, *(str(counts.get(name) or "-") for counts in calls.values())] for name in names]
    return f"system calls, {layout}\n{columns(cells)}\n"


def memory_table(layout: str, memory: dict) -> str:
    cells = [["program", "smallest limit", "charged by create", "most"]]
    for name, figures in memory.items():
        charged = figures["charged"] or {}
        values = (figures["smallest"], charged.get("now"), charged.get("most"))
        cells.append([name, *("-" if value is None else f"{value // 1024} KB" for value in values)])
    return f"memory of the container, {layout}\n{columns(cells)}\n"


def tables(result: dict, order: list[str]) -> str:
    out = []
    for layout, measured in result["layouts"].items():
        out += ["".join(f"note on {layout}: {note}\n" for note in measured["notes"])]
        for name, row in measured["rows"].items():
            ordered = {program: row[program] for program in order if program in row}
            out.append(row_table(f"{name}, {layout} (ms)", ordered))
        if any(measured["calls"].values()):
            out.append(calls_table(layout, measured["calls"]))
        if measured["memory"]:
            out.append(memory_table(layout, measured["memory"]))
    if "lxcfs" in result:
        out.append(healing_table(result["lxcfs"]))
    return "\n".join(part for part in out if part)


def healing_table(measured: dict) -> str:
    cells = [[f"{measured['files']} files of lxcfs", "median, ms"]]
    for what, name in (("healed", "heal_ms"), ("mounted, all that is offered", "mount_ms"), ("umount2 of as many, alone", "unmounts_ms")):
        cells.append([what, f"{measured[name]:.1f}"])
    return columns(cells) + "\n"


def mark(name: str, measured: float | None, limit: float, unit: str = "") -> dict:
    return {"mark": name, "measured": measured, "at_most": limit, "unit": unit,
            "met": None if measured is None else measured <= limit}


def layout_marks(layout: str, measured: dict) -> list[dict]:
    rows = measured["rows"]
    found = []
    for row, only, program, other, limit in RATIO_MARKS:
        if only in (None, layout) and row in rows:
            found.append(mark(f"{row} {layout}: {program} / {other}", ratio(rows[row], program, other), limit))
    for row, base, limit in DIFFERENCE_MARKS:
        medians = [rows.get(name, {}).get("berth", {}).get("median") for name in (row, base)]
        if all(medians):
            found.append(mark(f"{row} {layout}: berth, more than {base}", medians[0] - medians[1], limit, "ms"))
    smallest = measured["memory"].get("berth", {}).get("smallest")
    if "berth" in measured["memory"]:
        found.append(mark(f"smallest memory limit {layout}", smallest, SMALLEST_LIMIT, "bytes"))
    force = rows.get("delete-force", {}).get("berth", {})
    if force.get("median"):
        found.append(mark(f"delete-force {layout}: p95 / median", force["p95"] / force["median"], SLOW_MODE))
    found.append(mark(f"system calls of run {layout}", measured["calls"].get("run", {}).get("berth"), RUN_CALLS))
    return found


def marks(result: dict) -> list[dict]:
    found = []
    peaks: dict = {"the default spec": [], "a profile and 60 KB": []}
    for layout, measured in result["layouts"].items():
        found += layout_marks(layout, measured)
        for name, row in measured["rows"].items():
            if row.get("berth", {}).get("n"):
                spec = "a profile and 60 KB" if name.endswith("-seccomp") else "the default spec"
                peaks[spec].append(row["berth"]["maxrss_kb"])
    for spec, values in peaks.items():
        found.append(mark(f"peak RSS with {spec}", max(values, default=None), PEAK_RSS_KB, "KB"))
    if "network" in result:
        rates = result["network"]
        found.append(mark("TCP: hand-made / berth", rates["ip"] / rates["berth"], NETWORK_RATIO))
    if "lxcfs" in result:
        found.append(mark(f"{result['lxcfs']['files']} files of lxcfs in 20 containers healed", result["lxcfs"]["heal_ms"], HEALING_MS, "ms"))
    if "compile_seconds" in result:
        found.append(mark("compile of the whole tree", result["compile_seconds"], COMPILE_SECONDS, "s"))
    found.append(mark("size of the binary", result["sizes"].get("berth"), BINARY_BYTES, "bytes"))
    return found


def marks_table(found: list[dict]) -> str:
    cells = [["mark", "measured", "at most", "met"]]
    for one in found:
        digits = 0 if isinstance(one["measured"], int) else 2
        cells.append([one["mark"], f"{show(one['measured'], digits)} {one['unit']}".strip(),
                      f"{one['at_most']} {one['unit']}".strip(), {True: "yes", False: "NO", None: "-"}[one["met"]]])
    return columns(cells) + "\n"
