"""The Jupyter server's side: what the screens ask, answered over HTTP with no kernel.

Installing raylm enables it (`jupyter server extension list` shows it). Its settings are the server's own, for
example in jupyter_server_config.py:

    c.Raylm.storage = "/data/runs"
"""

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell the Jupyter server what to load."""
    from raylm.labextension.extension import Raylm  # not for the answer loop, which serves nothing

    return [{"module": "raylm.labextension", "app": Raylm}]
