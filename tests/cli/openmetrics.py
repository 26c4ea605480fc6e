# SPDX-License-Identifier: Apache-2.0
"""A reader of OpenMetrics text 1.0, for gauges and counters. It is strict: what the grammar does not allow is an error."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
META = re.compile(rf"# (TYPE|UNIT|HELP) ({NAME}) (.+)")
SAMPLE = re.compile(rf"({NAME})\{{({LABEL}(?:,{LABEL})*)?\}} (-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")


class Family:
    def __init__(self, name):
        self.name = name
        self.type = self.unit = self.help = None
        self.samples = {}  # sorted (label, value) pairs -> number

    def add_meta(self, kind, text):
        assert not self.samples, f"{self.name}: {kind} after a sample"
        assert getattr(self, kind.lower()) is None, f"{self.name}: {kind} twice"
        assert kind != "TYPE" or text in ("gauge", "counter"), text
        assert kind != "UNIT" or self.name.endswith(f"_{text}"), f"{self.name} does not end in its unit {text}"
        setattr(self, kind.lower(), text)

    def add_sample(self, name, labels, value):
        suffix = {"counter": "_total", "gauge": ""}[self.type]
        assert name == self.name + suffix, f"{name} of the {self.type} {self.name}"
        pairs = re.findall(LABEL, labels or "")
        key = tuple(sorted((pair.split("=", 1)[0], pair.split("=", 1)[1][1:-1]) for pair in pairs))
        assert len({label for label, _ in key}) == len(key), f"{name}: a label twice"
        assert key not in self.samples, f"{name}{{{labels}}} twice"
        assert self.type != "counter" or float(value) >= 0, f"{name} is below 0"
        self.samples[key] = float(value)


def parse(text):
    """Families by name."""
    assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1
    families, current = {}, None
    for line in text.splitlines()[:-1]:
        meta, sample = META.fullmatch(line), SAMPLE.fullmatch(line)
        assert meta or sample, f"no line of OpenMetrics: {line!r}"
        if meta:
            kind, name, rest = meta.groups()
            if not current or current.name != name:
                assert name not in families, f"{name} is torn apart"
                current = families[name] = Family(name)
            current.add_meta(kind, rest)
        else:
            assert current, f"a sample without a family: {line!r}"
            current.add_sample(*sample.groups())
    assert all(family.type and family.help for family in families.values())
    return families
