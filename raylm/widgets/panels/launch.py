"""Launch: choose a recipe, change it, see what it costs, start it."""

from raylm.widgets.panels import Panel


class Launch(Panel):
    """The recipe as a form."""

    title = "Launch"
    screen = "launch"
    position = 20
