#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/security/syscall_table.inc: system call names and their number on each architecture.

gen_syscall_tables.py [FILE]      asks the installed libseccomp (libseccomp2) and adds what it is too old to know
"""
import ctypes
import pathlib
import sys

# Column order of the table: enum Abi in src/security/seccomp_names.h.
COLUMNS = {
    "x86": 0x40000003,
    "x86_64": 0xC000003E,
    "x32": 0x4000003E,
    "arm": 0x40000028,
    "aarch64": 0xC00000B7,
    "mips": 0x00000008,
    "mips64": 0x80000008,
    "mips64n32": 0xA0000008,
    "parisc": 0x0000000F,
    "parisc64": 0x8000000F,
    "ppc": 0x00000014,
    "ppc64": 0x80000015,
    "riscv64": 0xC00000F3,
    "s390": 0x00000016,
    "s390x": 0x80000016,
}
BASE = {"mips": 4000, "mips64": 5000, "mips64n32": 6000, "x32": 0x40000000}
ARM_PRIVATE = 0x0F0000
ABSENT = -1
# -1000 - n stands for ARM_PRIVATE + n: the only numbers that do not fit in 16 bits.
PRIVATE_MARK = -1000

# Since Linux 5.1 a new call has one number on every architecture.
NEWER = {
    "set_mempolicy_home_node": 450, "cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453,
    "futex_wake": 454, "futex_wait": 455, "futex_requeue": 456, "statmount": 457,
    "listmount": 458, "lsm_get_self_attr": 459, "lsm_set_self_attr": 460,
    "lsm_list_modules": 461, "mseal": 462, "setxattrat": 463, "getxattrat": 464,
    "listxattrat": 465, "removexattrat": 466, "open_tree_attr": 467, "file_getattr": 468,
    "file_setattr": 469, "listns": 470,
}
NEWER_ON = {"x86_64": {"uretprobe": 335, "uprobe": 336}, "riscv64": {"riscv_hwprobe": 258}}


def open_library():
    library = ctypes.CDLL("libseccomp.so.2")
    resolve = library.seccomp_syscall_resolve_num_arch
    resolve.restype = ctypes.c_void_p
    resolve.argtypes = [ctypes.c_uint32, ctypes.c_int]
    libc = ctypes.CDLL(None)
    libc.free.argtypes = [ctypes.c_void_p]

    def name_of(token, number):
        pointer = resolve(token, number)
        if not pointer:
            return None
        name = ctypes.string_at(pointer).decode()
        libc.free(pointer)
        return name

    return name_of


def stored(column, number):
    if number >= ARM_PRIVATE and column == "arm":
        return PRIVATE_MARK - (number - ARM_PRIVATE)
    return number - BASE["x32"] if column == "x32" else number


def collect():
    name_of = open_library()
    table = {}
    for column, token in COLUMNS.items():
        base = BASE.get(column, 0)
        numbers = list(range(base, base + 700))
        if column == "arm":
            numbers += range(ARM_PRIVATE, ARM_PRIVATE + 32)
        for number in numbers:
            name = name_of(token, number)
            if name:
                table.setdefault(name, {})[column] = stored(column, number)
        newer = {name: base + number for name, number in NEWER.items()}
        newer.update(NEWER_ON.get(column, {}))
        for name, number in newer.items():
            table.setdefault(name, {}).setdefault(column, stored(column, number))
    return table


def write(path, table):
    lines = ["// SPDX-License-Identifier: Apache-2.0",
             "// Written by scripts/gen_syscall_tables.py; do not edit.",
             "// clang-format off",
             "// name, " + ", ".join(COLUMNS)]
    for name in sorted(table):
        numbers = ", ".join(str(table[name].get(column, ABSENT)) for column in COLUMNS)
        lines.append(f'BERTH_SYSCALL("{name}", {numbers})')
    lines.append("// clang-format on")
    path.write_text("\n".join(lines) + "\n")


def main():
    default = pathlib.Path(__file__).parent.parent / "src/security/syscall_table.inc"
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    table = collect()
    write(path, table)
    print(f"{path}: {len(table)} names")


if __name__ == "__main__":
    main()
