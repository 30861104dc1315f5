"""Launch: choose a recipe, change it, see what it costs, start it."""

from traitlets import Unicode

from raylm.widgets.panels import Panel


class Launch(Panel):
    """The recipe as a form."""

    title = "Launch"
    screen = "launch"
    position = 20

    recipe = Unicode().tag(sync=True)
    """Path of the recipe file to begin with."""
