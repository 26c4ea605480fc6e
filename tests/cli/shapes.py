# SPDX-License-Identifier: Apache-2.0
"""In what shape the suite runs its containers, which BERTH_SHAPE says: as they are written when it is not set; `userns`,
root's, in a user namespace; `rootless`, an ordinary user's (tests/cli/rootless)."""
import copy
import os
import pathlib
import stat

SHAPE = os.environ.get("BERTH_SHAPE", "")
assert SHAPE in ("", "userns", "rootless"), f"BERTH_SHAPE: there is no shape {SHAPE}"
FIRST_ID, COUNT = 200000, 65536  # no test says these itself
MAPS = [{"containerID": 0, "hostID": FIRST_ID, "size": COUNT}]
USER = {"type": "user"}
CAPABILITY = "security.capability"


def add_user_namespace(config):
    """Unless it says something about user namespaces itself. Whether it did not."""
    linux = config.setdefault("linux", {})
    namespaces = linux.setdefault("namespaces", [])
    kinds = [each.get("type") for each in namespaces]
    if "user" in kinds or "uidMappings" in linux or "gidMappings" in linux:
        return False
    namespaces.append(USER)
    linux |= {"uidMappings": MAPS, "gidMappings": MAPS}
    return True


def drop_user_namespace(config):
    linux = config.get("linux", {})
    if linux.get("uidMappings") == MAPS and linux.get("gidMappings") == MAPS:
        linux["namespaces"].remove(USER)
        del linux["uidMappings"], linux["gidMappings"]


def id_inside(outside):
    """Of an owner, as the container sees it."""
    return outside - FIRST_ID if FIRST_ID <= outside < FIRST_ID + COUNT else outside


def change_owner(path, first):
    """By as much as the map that starts at first does. A change of owner takes what makes a program privileged."""
    status = os.lstat(path)
    owner = [first + id_inside(number) for number in (status.st_uid, status.st_gid)]
    if owner == [status.st_uid, status.st_gid] or max(map(id_inside, owner)) >= COUNT:
        return
    names = os.listxattr(path, follow_symlinks=False)
    privilege = os.getxattr(path, CAPABILITY)[4:20] if CAPABILITY in names else None
    os.lchown(path, *owner)
    if not stat.S_ISLNK(status.st_mode):
        os.chmod(path, stat.S_IMODE(status.st_mode))
    if privilege:  # the third version says whose root it is for
        os.setxattr(path, CAPABILITY, bytes.fromhex("01000003") + privilege + first.to_bytes(4, "little"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def give(top, first):
    """The tree to the ids that start at first. What is mounted there is not the test's."""
    mounted = {line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()}
    left = [str(top)]
    while left:
        path = left.pop()
        if path in mounted:
            continue
        change_owner(path, first)
        if os.path.isdir(path) and not os.path.islink(path):
            left += [f"{path}/{name}" for name in os.listdir(path)]


def give_files(bundle, config, folders, first):
    """What an engine would do with the image and the volumes. Nothing that is not in folders, the test's own."""
    for name in (config.get("root", {}).get("path"), *(mount.get("source") for mount in config.get("mounts", []))):
        path = (bundle / (name or "/")).resolve()
        if path.exists() and any(path.is_relative_to(folder) for folder in folders):
            give(path, first)


def shaped(bundle, config, folders):
    """A test's config.json, or its process.json, which has no shape."""
    if SHAPE != "userns" or "ociVersion" not in config:
        return config
    config = copy.deepcopy(config)
    added = add_user_namespace(config)
    give_files(bundle, config, folders, FIRST_ID if added else 0)
    return config


def plain(config):
    """What the test wrote."""
    if SHAPE == "userns":
        drop_user_namespace(config)
    return config


def let_pass(folder):
    """Other users may go through it."""
    for each in [folder, *folder.parents][:-2]:
        if each.stat().st_uid == os.geteuid():
            each.chmod(each.stat().st_mode | 0o055)
