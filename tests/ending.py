"""Ending a Jupyter server that a test has started."""

import subprocess


def end_server(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask a server to end, and wait until its process has.

    Now and then all is over but the process: an idle thread of AnyIO's, which nobody told to end, keeps it
    for good. It is killed then; a kernel whose server is gone ends by itself.
    """
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
