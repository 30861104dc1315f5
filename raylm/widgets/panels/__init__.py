"""The contract of a panel: one screen of the cockpit, as a widget that composes with any other.

Every other file of this folder is one panel, found by discovery; its screen is views/src/screens/<screen>.ts.
"""

import importlib
import pkgutil
from pathlib import Path
from typing import Any, ClassVar

from traitlets import Unicode

from raylm.widgets.transport import StoreWidget

_VIEWS = Path(__file__).parent.parent / "views" / "dist"


class Panel(StoreWidget):
    """A window onto the store, which may close at any time: all it shows it reads again."""

    title: ClassVar[str]
    """The tab's name."""
    screen: ClassVar[str]
    """The module of the screen: views/dist/<screen>.js and .css."""
    position: ClassVar[int]
    """Place among the tabs, ascending."""

    run_id = Unicode().tag(sync=True)
    """The run that is shown or was started here; panels of one cockpit share it."""
    started = Unicode().tag(sync=True)
    """A run that Monitor is to show, such as one just started; the cockpit does so and empties this again."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "screen" in vars(cls):  # not for the classes that traitlets derives to add traits
            cls._esm = _VIEWS / f"{cls.screen}.js"
            cls._css = _VIEWS / f"{cls.screen}.css"
        super().__init_subclass__(**kwargs)

    def __repr__(self) -> str:
        return f"raylm {self.title}: open this notebook in JupyterLab to see the panel."


def panels() -> list[type[Panel]]:
    """Return the panel of every file in this folder, in the order of their tabs."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted(Panel.__subclasses__(), key=lambda panel: panel.position)
