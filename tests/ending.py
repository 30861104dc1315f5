"""Ending a Jupyter server that a test has started."""

import subprocess

import psutil


def end_server(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask a server to end, and wait until its process has.

    Now and then all is over but the process: an idle thread of AnyIO's, which nobody told to end, keeps it
    for good. It is killed then, if it has nothing left: a kernel that still runs is a failure as before.

    Raises:
        subprocess.TimeoutExpired: the server has not ended what it had started.
    """
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        children = psutil.Process(process.pid).children(recursive=True)
        if any(child.status() != psutil.STATUS_ZOMBIE for child in children):
            raise
        process.kill()
        process.wait()
