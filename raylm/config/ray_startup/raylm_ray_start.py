"""What Ray calls, through RAY_START_HOOK, just before a cluster that raylm owns starts."""

from typing import Any


def leave_out_ray_client(parameters: Any, is_head: bool) -> None:  # noqa: FBT001 - Ray calls it so
    """Start no `ray://` server: raylm submits jobs, and a second cluster would meet it on port 10001."""
    del is_head
    parameters.ray_client_server_port = None
