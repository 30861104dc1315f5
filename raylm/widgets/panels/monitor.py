"""Monitor: the runs, and one of them live."""

from raylm.widgets.panels import Panel


class Monitor(Panel):
    """Curve, status, events and log of a run; Stop and Resume."""

    title = "Monitor"
    screen = "monitor"
    position = 30
