# SPDX-License-Identifier: Apache-2.0
"""Brings the peers' suites from Debian's source packages into a cache, and builds what they need to run."""

import os
import pathlib
import re
import shutil
import subprocess
import tarfile

CACHE = pathlib.Path(os.environ.get("BERTH_CACHE", "/var/cache/berth")) / "conformance"
OFFLINE = False  # what is prepared is taken, if it is another version, too: the suite is the same
# Where the machine is told of Debian's own archives; only those are asked for sources.
APT = pathlib.Path("/etc/apt")
DEBIAN_ARCHIVE = re.compile(r"/debian(-security)?/?$")


def output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def quietly(command: list[str], log: str, **options) -> None:
    """Runs the command with all that it prints in a file of the cache, and shows the end of it on failure."""
    CACHE.mkdir(parents=True, exist_ok=True)
    file = CACHE / f"{log}.log"
    with file.open("w") as sink:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
                              **options)
    if done.returncode:
        tail = "\n".join(file.read_text(errors="replace").splitlines()[-15:])
        raise SystemExit(f"conformance: {' '.join(command[:2])} failed, see {file}:\n{tail}")


def package_version(package: str) -> str:
    return output("dpkg-query", "--show", "--showformat=${Version}", package)


def deb_src(text: str) -> str:
    """The same archives, asked for sources: for both forms of apt's lists."""
    lines = [f"deb-src {line.split(None, 1)[1]}" for line in text.splitlines()
             if re.match(r"deb\s", line) and any(DEBIAN_ARCHIVE.search(word) for word in line.split())]
    stanzas = [re.sub(r"^Types:.*", "Types: deb-src", stanza, flags=re.M) for stanza in re.split(r"\n\s*\n", text)
               if re.search(r"^URIs:\s*\S*/debian(-security)?/?\s*$", stanza, flags=re.M)]
    return "\n".join(lines) + "\n" if lines else "\n\n".join(stanzas) + "\n" if stanzas else ""


def private_apt() -> list[str]:
    """apt-get's options for lists of our own: the machine's are never changed."""
    home = CACHE / "apt"
    for directory in ("sources.d", "lists/partial", "cache/archives/partial"):
        (home / directory).mkdir(parents=True, exist_ok=True)
    listed = [APT / "sources.list", *(APT / "sources.list.d").glob("*")]
    for path in filter(pathlib.Path.is_file, listed):
        text = deb_src(path.read_text())
        if text:
            (home / "sources.d" / path.name).write_text(text)
    settings = {"Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": home / "sources.d",
                "Dir::State::lists": home / "lists", "Dir::Cache": home / "cache", "APT::Sandbox::User": "root"}
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def source(package: str) -> pathlib.Path:
    """The unpacked source of the installed version of the package."""
    version = package_version(package)
    home = CACHE / "src" / f"{package}-{version}"
    if OFFLINE:
        home = next((CACHE / "src").glob(f"{package}-*"))
    if not home.exists():
        making = home.with_name(home.name + ".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        options = private_apt()
        quietly(["apt-get", *options, "update"], "apt-update")
        listed = output("apt-cache", *options, "showsrc", "--only-source", package)
        # An archive keeps the newest version only, which a machine may not have yet; the suite is the same.
        wanted = f"{package}={version}" if f"Version: {version}\n" in listed else package
        quietly(["apt-get", *options, "source", wanted], "apt-source", cwd=making)
        making.rename(home)
    return next(path for path in home.iterdir() if (path / "debian/control").exists())


def build_go_helpers(tree: pathlib.Path) -> None:
    """The small programs of runc's suite, with the Go libraries that Debian packages."""
    path = tree.parent / "go"
    link = path / "src/github.com/opencontainers/runc"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(tree)
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": f"{path}:/usr/share/gocode", "GOFLAGS": "-trimpath",
                   "GOCACHE": str(CACHE / "go-build")}
    for directory in sorted((link / "contrib/cmd").iterdir()):
        program = directory / directory.name
        if not program.exists():
            quietly(["go", "build", "-tags", "seccomp", "-o", str(program), "."], f"go-{directory.name}",
                    cwd=directory, env={**environment, "PWD": str(directory)})


def build_crun_init(tree: pathlib.Path) -> pathlib.Path:
    """What crun's suite runs in its containers. Its config.h would come from configure; two answers are enough."""
    program = tree.parent / "init"
    if not program.exists():
        settings = tree.parent / "include"
        settings.mkdir(exist_ok=True)
        (settings / "config.h").write_text("#define HAVE_ERROR_H 1\n#define HAVE_SECCOMP 1\n")
        quietly(["gcc", "-static", "-O1", "-w", f"-I{settings}", "-o", str(program), str(tree / "tests/init.c")],
                "crun-init")
    return program


PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
"""
GROUP = """root:x:0:
daemon:x:1:
tty:x:5:
nobody:x:65534:
"""


def common_tree(root: pathlib.Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    for directory in ("bin", "dev", "etc", "home", "root", "tmp", "usr/bin", "usr/sbin", "var"):
        (root / directory).mkdir(parents=True, mode=0o755)
    (root / "tmp").chmod(0o1777)
    (root / "root").chmod(0o700)
    (root / "etc/passwd").write_text(PASSWD)
    (root / "etc/group").write_text(GROUP)


def busybox_tree(root: pathlib.Path) -> None:
    common_tree(root)
    shutil.copy2("/bin/busybox", root / "bin/busybox")
    for applet in output("/bin/busybox", "--list").split():
        if applet != "busybox":
            (root / "bin" / applet).hardlink_to(root / "bin/busybox")


def debian_tree(root: pathlib.Path) -> None:
    """As much of Debian as the suite uses of it (the library cache of one hook test), from this machine's own."""
    common_tree(root)
    for directory in ("sbin", "lib", "lib64"):
        (root / directory).mkdir()
    (root / "lib/x86_64-linux-gnu").mkdir()
    (root / "etc/ld.so.conf").write_text("/lib\n/lib/x86_64-linux-gnu\n")
    for program in ("/bin/sh", "/bin/cat", "/bin/ls", "/bin/grep", "/sbin/ldconfig", "/bin/true"):
        shutil.copy2(program, str(root) + program)
        listed = subprocess.run(["ldd", program], check=False, capture_output=True, text=True).stdout
        for library in re.findall(r"(?:=>\s*|^\s*)(/\S+)", listed, flags=re.M):
            shutil.copy2(library, str(root) + library)


def image(path: pathlib.Path, make_tree) -> None:
    """A tar under the name that the suite looks for; tar tells by itself that it is not compressed."""
    if path.exists():
        return
    root = CACHE / "image"
    make_tree(root)
    making = path.with_suffix(".making")
    with tarfile.open(making, "w") as archive:
        archive.add(root, arcname=".")
    making.rename(path)
    shutil.rmtree(root)


def prepare_runc() -> pathlib.Path:
    """The tree of runc's source, ready to run its suite."""
    tree = source("runc")
    build_go_helpers(tree)
    data = tree / "tests/integration/testdata"
    architecture = output("dpkg", "--print-architecture").strip()
    image(data / f"busybox-{architecture}.tar.xz", busybox_tree)
    image(data / f"debian-{architecture}.tar.xz", debian_tree)
    return tree


def prepare_crun() -> pathlib.Path:
    tree = source("crun")
    build_crun_init(tree)
    return tree
