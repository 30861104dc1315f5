"""Cluster: where runs can go, what each machine has to do, and a local cluster started and stopped."""

from raylm.widgets.panels import Panel


class Cluster(Panel):
    """Nodes, jobs and lost machines of a cluster; Connect, Start local cluster, Stop."""

    title = "Cluster"
    screen = "cluster"
    position = 10
