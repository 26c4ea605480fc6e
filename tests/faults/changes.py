# SPDX-License-Identifier: Apache-2.0
"""What a case does to a config."""


def linux(**members):
    return lambda config: config["linux"].update(members)


def process(**members):
    return lambda config: config["process"].update(members)


def join(kind, path):
    def change(config):
        listed = [each for each in config["linux"]["namespaces"] if each["type"] != kind]
        config["linux"]["namespaces"] = listed + [{"type": kind, "path": path}]
    return change
