#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A header as Doxygen reads it: our comments are plain `//`, and what every handle has (moves, its inside) is not worth a
line of the reference."""
import re
import sys

UNSAID = re.compile(r"^\s*(explicit )?(~?\w+)\((std::unique_ptr<Inner> inner|(\2)&&|)\)( noexcept)?;$|"
                    r"^\s*\w+& operator=\(\w+&&\) noexcept;$|^\s*struct (Inner|Details);$|"
                    r"^\s*bool operator==\(const \w+&\) const = default;$")


def lines(text):
    after_code = False
    for line in text.splitlines():
        if UNSAID.match(line):
            continue
        code, mark, comment = line.partition("//")
        if not mark or '"' in comment and code.count('"') % 2:
            after_code = False
            yield line
        elif code.strip():
            after_code = True
            yield f"{code}///<{comment}"
        else:
            # What goes on below a comment at the end of a line.
            after_code = after_code and len(code) > 8
            yield f"{code}///{'<' if after_code else ''}{comment}"


def main(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    plain = path.endswith("berth.h") and path.rpartition("/")[2] == "berth.h"
    text = text.replace('namespace [[gnu::visibility("default")]] berth', "namespace berth")
    print(text if plain else "\n".join(lines(text)))


if __name__ == "__main__":
    main(sys.argv[1])
