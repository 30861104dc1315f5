"""What this machine offers to workers."""

import os
import re
from pathlib import Path

from raylm.config.placement import Node

# A container's own limit, control groups version 2 and 1; far above the machine's memory where there is none.
_MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

_LOCAL_DISKS = ("btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "ramfs", "tmpfs", "xfs", "zfs")


def this_machine() -> Node:
    """Return this machine as a node: the CPUs this process may use, its GPUs, its memory in bytes."""
    return Node("this machine", num_cpus(), num_gpus(), memory_bytes())


def num_cpus() -> int:
    """Return the CPUs that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def num_gpus() -> int:
    """Return the NVIDIA GPUs that this process may see, without loading a driver library."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return len([device for device in allowed.split(",") if device.strip() and device.strip() != "-1"])
    devices = Path("/dev")
    return len([one for one in devices.glob("nvidia*") if re.fullmatch(r"nvidia\d+", one.name)])


def memory_bytes() -> int:
    """Return the memory of this machine, or the container's limit where that is lower."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [int(text) for text in map(_read, _MEMORY_LIMITS) if text.isdecimal()]
    return min([total, *limits])


def is_local_disk(path: Path) -> bool:
    """Whether a folder surely lies on a disk that no other machine sees; False where it cannot be told."""
    mounts = (line.split() for line in _read("/proc/self/mounts").splitlines())
    types = {place: kind for _device, place, kind, *_options in mounts}
    above = (str(folder) for folder in (path.resolve(), *path.resolve().parents))
    return next((types[folder] for folder in above if folder in types), "") in _LOCAL_DISKS


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
