# SPDX-License-Identifier: Apache-2.0
"""What crun's suite uses of util-linux's Python module of this name: finding a mount in a mountinfo file."""

import pathlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Filesystem:
    target: str
    vfs_options: str
    fs_options: str


class Table:
    def __init__(self, path: str) -> None:
        lines = (line.split() for line in pathlib.Path(path).read_text().splitlines() if " - " in line)
        self.mounts = [Filesystem(words[4], words[5], words[-1]) for words in lines]

    def find_target(self, target: str) -> Filesystem | None:
        """The topmost mount there."""
        return next((mount for mount in reversed(self.mounts) if mount.target == target), None)
