"""Running a program that a model wrote, with its tests, in a process with little in its reach.

What this is for is accidents and careless code: endless loops, memory that runs out, files written or
removed, other programs started, the network used. It is no wall against a program that sets out to break
through: what the hook inside the interpreter refuses can be got around there, and so can the proof of having
passed. Where programs may be hostile, run all of raylm in a container or a virtual machine that holds nothing
of worth.
"""

from __future__ import annotations

import math
import os
import secrets
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

SECONDS = 5.0
MEMORY_BYTES = 512 * 2**20
_LONGEST_REPORT = 256  # bytes

# Run by the child before the program. The token that proves the end was reached stays in the pipe until then,
# so that the program finds it in no variable; and the program's `__main__` is not this one.
_LAUNCHER = r"""
import ctypes, os, resource, sys, types

REFUSED = (
    "ctypes.", "gc.get_", "os.chmod", "os.chown", "os.exec", "os.fork", "os.kill", "os.link", "os.lockf",
    "os.mkdir", "os.posix_spawn", "os.remove", "os.rename", "os.rmdir", "os.setxattr", "os.spawn",
    "os.symlink", "os.system", "os.truncate", "os.utime", "pty.", "resource.", "shutil.", "signal.pthread",
    "socket.", "sqlite3.", "subprocess.", "syslog.", "webbrowser.",
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

def hook(event, args, refused=REFUSED, writes=WRITES):
    if event.startswith(refused) or (event == "open" and isinstance(args[2], int) and args[2] & writes):
        raise PermissionError(f"refused: {event}")

def refuse(*args, **kwargs):
    raise PermissionError("refused: another program")

def fence():
    # Best effort, as far as the kernel allows it: killed with its parent, no network, and by Landlock no
    # writing, no executing, no signals to others.
    libc = ctypes.CDLL(None)
    libc.prctl(1, 9, 0, 0, 0)
    libc.unshare(0x10000000 | 0x40000000)  # CLONE_NEWUSER, CLONE_NEWNET
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    version = libc.syscall(444, None, ctypes.c_size_t(0), 1)
    if version > 0:
        files = 0x1FFF & ~0b1100 | (0x4000 if version >= 3 else 0)  # all but reading; truncating since 3
        rules = (ctypes.c_uint64 * 3)(files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
        size = 8 if version < 4 else 16 if version < 6 else 24
        ruleset = libc.syscall(444, rules, ctypes.c_size_t(size), 0)
        if ruleset >= 0:
            libc.syscall(446, ruleset, 0)
            os.close(ruleset)

def limit(seconds, memory_bytes):
    import _posixsubprocess

    _posixsubprocess.fork_exec = refuse  # which no audit event announces
    for name, most in (("CPU", seconds), ("AS", memory_bytes), ("FSIZE", 0), ("NOFILE", 32), ("NPROC", 0),
                       ("CORE", 0)):
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (most, most))
    sys.addaudithook(hook)

def take(size, read=os.read):
    data = b""
    while len(data) < size:
        data += read(source_fd, size - len(data)) or os._exit(1)
    return data

def main(write=os.write, leave=os._exit, take=take):
    length, seconds, memory_bytes, report_fd, token_length = (
        int.from_bytes(take(8), "little") for _ in range(5)
    )
    source = take(length)
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    fence()
    limit(seconds, memory_bytes)
    try:
        exec(compile(source, "<program>", "exec"), module.__dict__)
    except BaseException as error:
        module.__dict__.clear()
        report = type(error).__name__.encode(errors="replace")[:200]
    else:
        report = take(token_length)
    write(report_fd, report)
    leave(0)

source_fd = os.dup(0)
null_fd = os.open(os.devnull, os.O_RDONLY)
os.dup2(null_fd, 0)
os.close(null_fd)
main()
"""


class Outcome(NamedTuple):
    """How a program ended."""

    is_passed: bool
    """Whether it ran to its end, and so past each of its asserts."""
    reason: str
    """Else what stopped it, such as "AssertionError"; "" where it passed."""


def run_program(source: str, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> Outcome:
    """Run a program and return whether it came to its end; it can import the standard library only.

    One that exits before its last line has not passed, by whatever means it exits.

    Args:
        source: the program, its tests included.
        seconds: what it may take, the interpreter's start included; of processor time a second or two more,
            so that it is this limit that a loop without end meets.
        memory_bytes: the address space it may take.
    """
    token = secrets.token_hex(16).encode()
    program = source.encode("utf-8", "replace")
    reads, writes = os.pipe()
    header = struct.pack("<5Q", len(program), math.ceil(seconds) + 1, memory_bytes, writes, len(token))
    with os.fdopen(reads, "rb", buffering=0) as reports, tempfile.TemporaryDirectory() as folder:
        try:
            process = _start(folder, writes)
        finally:
            os.close(writes)
        is_late = _is_late(process, header + program + token, seconds)
        os.set_blocking(reads, False)
        report = reports.read(_LONGEST_REPORT) or b""
    if not is_late and report == token:
        return Outcome(is_passed=True, reason="")
    return Outcome(is_passed=False, reason="timed out" if is_late else _reason(report, process.returncode))


def run_programs(
    sources: Sequence[str], seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES
) -> list[Outcome]:
    """Run programs, as many at once as there are processors; see `run_program`."""
    run = partial(run_program, seconds=seconds, memory_bytes=memory_bytes)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(run, sources))


def _start(folder: str, report_fd: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={},
        pass_fds=(report_fd,),
        start_new_session=True,
    )


def _is_late(process: subprocess.Popen[bytes], given: bytes, seconds: float) -> bool:
    """Wait for a process, and end it and its group if it takes too long."""
    with process:
        try:
            process.communicate(given, timeout=seconds)
        except subprocess.TimeoutExpired:
            return True
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    return False


def _reason(report: bytes, code: int) -> str:
    if report:
        return report.decode(errors="replace")
    return f"killed by {signal.Signals(-code).name}" if code < 0 else "exited before its end"
