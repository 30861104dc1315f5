"""The machines of a cluster, for placing workers before a launch."""

from raylm.config.placement import Node
from raylm.jobs.http import Dashboard

NODES = "/api/v0/nodes?detail=1&limit=10000"  # the most that Ray tells; without a limit it tells 100


def list_nodes(dashboard: Dashboard) -> list[Node]:
    """Return the nodes that are alive, with all they have, whether or not other jobs use it now.

    Raises:
        BadInput, HttpError: as `Dashboard.get`.
    """
    answer = dashboard.get(NODES)
    return [_node(row) for row in answer["data"]["result"]["result"] if row["state"] == "ALIVE"]


def _node(row: dict) -> Node:
    total = row.get("resources_total") or {}
    memory_bytes = int(total.get("memory", 0))
    return Node(
        row.get("node_name") or row["node_ip"], total.get("CPU", 0.0), total.get("GPU", 0.0), memory_bytes
    )
