# SPDX-License-Identifier: Apache-2.0
"""What is installed: headers that stand alone, an interface of exactly what they promise, and no state behind it."""
import ctypes
import re
import subprocess

import pytest

from conftest import REPOSITORY, run

HEADERS = sorted((REPOSITORY / "include/berth").glob("*.h"))
# In what is linked from elsewhere: written once, before main, or never.
KNOWN_STATE = {
    r"^boost::system::detail::\w+_cat_holder<void>::instance$": "an error category: identity only",
    r"^boost::json::make_error_\w+\(.*\)::cat$": "the same",
    r"^boost::json::detail::default_resource::instance_$": "where the default allocator is, never changed",
    r"^(\.hidden )?boost::container::(std_)?allocator_arg": "an empty tag",
    r"^(\.hidden )?DW\.ref\.": "of exception handling: an address",
    r"^fmt::": "tables of digits",
}


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_a_header_stands_alone(header, prefix):
    strict = ["-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wno-sign-conversion", "-Werror",
              f"-I{prefix}/include", "-"]
    text = f"#include <berth/{header.name}>\n#include <berth/{header.name}>\n"
    run("g++", "-std=c++23", "-x", "c++", *strict, input=text, stdin=None)
    if header.name == "berth.h":
        run("gcc", "-std=c11", "-Wpedantic", "-x", "c", *strict, input=text, stdin=None)


def test_no_header_brings_a_foreign_macro():
    """TRY is for those who include try.h, which no other header does."""
    for header in HEADERS:
        text = header.read_text()
        names = set(re.findall(r"^\s*#\s*define\s+(\w+)", text, flags=re.M))
        allowed = {"TRY"} if header.name == "try.h" else set()
        assert {name for name in names if not name.startswith("BERTH_")} == allowed, header.name
        assert "berth/try.h" not in text or header.name == "try.h", header.name


def exported(library):
    """(version, name) of what a program can link with."""
    listed = run("nm", "--dynamic", "--defined-only", "--format=posix", library)
    words = [line.split()[0] for line in listed.splitlines() if line.split()[1] != "A"]
    return {(word.rpartition("@@")[2], word.partition("@@")[0]) for word in words}


def functions_of_c():
    text = re.sub(r"/\*.*?\*/", "", (REPOSITORY / "include/berth/berth.h").read_text(), flags=re.S)
    return set(re.findall(r"\b(berth_\w+)\(", text))


def test_exactly_the_c_interface_is_exported(libraries):
    names = {name for version, name in exported(libraries / "libberth.so") if version == "BERTH_C_0.1"}
    assert names == functions_of_c()


def test_of_cxx_only_the_api_is_exported(libraries):
    symbols = {name for version, name in exported(libraries / "libberth.so") if version != "BERTH_C_0.1"}
    assert "_ZN5berth7Factory4openENS_14FactoryOptionsE" in symbols
    inner = "berth::(core|os|json|spec|plan|cgroup|network|security|hooks|sync|init|engine|driver|capi)::|::(Inner|Details)::"
    plain = run("c++filt", input="\n".join(sorted(symbols)), stdin=None).splitlines()
    for name in plain:
        assert re.search(r"\bberth::", name), name
        assert not re.search(rf"^(\w+ for )?{inner}", name.partition("(")[0]), name


def test_the_shared_library_is_versioned(libraries):
    told = run("readelf", "--dynamic", "--wide", libraries / "libberth.so")
    assert "soname: [libberth.so.0]" in told.lower()
    assert re.search(r"(BIND_)?NOW", told)


def test_a_static_program_meets_no_other_name(libraries):
    """What is not the API is local: a program may have its own Boost and fmt."""
    listed = run("nm", "--extern-only", "--defined-only", "--format=posix", libraries / "libberth.a")
    names = [line.split()[0] for line in listed.splitlines() if len(line.split()) > 1]
    assert names
    assert [name for name in names if not re.match(r"berth_|_ZNK?5berth|_ZT.N5berth", name)] == []


def writable_objects(archive):
    """Names in sections that a program could write to after its start; constants with addresses are not among them."""
    listed = run("objdump", "--syms", "--demangle", "--wide", archive)
    for line in listed.splitlines():
        match = re.match(r"^[0-9a-f]+ (.{7}) (\.(?:t?data|t?bss)\S*)\s+[0-9a-f]+ (.*)$", line)
        if match and "O" in match.group(1) and not match.group(2).startswith(".data.rel.ro"):
            yield match.group(3)


def test_the_library_has_no_state(libraries):
    unknown = [name for name in writable_objects(libraries / "libberth.a")
               if not any(re.search(known, name) for known in KNOWN_STATE)]
    assert unknown == []


def test_the_library_takes_no_thread_and_no_signal(libraries):
    """Handlers of signals are only reset, after clone; nothing is started beside the caller."""
    listed = run("nm", "--dynamic", "--undefined-only", "--format=posix", libraries / "libberth.so")
    wanted = {line.split()[0].partition("@")[0] for line in listed.splitlines()}
    assert wanted
    assert not wanted & {"clone", "pthread_create", "thrd_create", "sigaction", "sigwait", "signalfd", "atexit", "setitimer",
                         "timer_create", "setlocale", "exit"}


def test_options_of_another_version(libraries):
    """A size of 0 is refused, a longer structure is taken when the rest is 0."""
    library = ctypes.CDLL(libraries / "libberth.so")
    library.berth_factory_open.restype = ctypes.c_void_p
    library.berth_error_message.restype = ctypes.c_char_p
    error = ctypes.c_void_p()

    def opened(size, last=0):
        members = (ctypes.c_uint64 * 16)(size)
        members[15] = last
        return library.berth_factory_open(members, ctypes.byref(error))

    assert opened(0) is None
    assert b"size" in library.berth_error_message(error)
    library.berth_error_free(error)
    assert opened(16 * 8, last=1) is None
    assert b"older than an option" in library.berth_error_message(error)
    library.berth_error_free(error)
    factory = opened(16 * 8)
    assert factory is not None
    library.berth_factory_close(ctypes.c_void_p(factory))


def test_find_package_refuses_another_version(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(x LANGUAGES CXX)\nfind_package(berth 0.2 REQUIRED)\n")
    done = subprocess.run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and "0.2" in done.stderr
