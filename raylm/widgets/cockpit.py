"""The cockpit: every panel in a tab of one widget, over one store."""

from pathlib import Path
from typing import Any

import ipywidgets

from raylm.api.store import Store
from raylm.recipe import Recipe
from raylm.widgets.panels import panels

_SHOWN = 10  # runs in the plain text


class Cockpit(ipywidgets.Tab):
    """The panels in tabs. A run chosen in one is chosen in all; one that is started is shown by Monitor."""

    def __init__(self, store: Store, run_id: str = "") -> None:
        self.store = store
        self._panels = {kind.title: kind(store) for kind in panels()}
        super().__init__(children=list(self._panels.values()), titles=list(self._panels))
        for panel in self._panels.values():
            panel.observe(self._share, "run_id")
            panel.observe(self._show_started, "started")
        self.show("Launch")  # a cluster need not be there
        if run_id:
            self.watch(run_id)

    def show(self, title: str) -> None:
        """Bring the tab of this title to the front."""
        self.selected_index = list(self._panels).index(title)

    def watch(self, run_id: str) -> None:
        """Show this run in Monitor."""
        self._panels["Monitor"].set_trait("run_id", run_id)
        self.show("Monitor")

    def _share(self, change: dict[str, Any]) -> None:
        for panel in self._panels.values():
            panel.set_trait("run_id", change["new"])

    def _show_started(self, change: dict[str, Any]) -> None:
        if change["new"]:
            self.watch(change["new"])
            change["owner"].set_trait("started", "")  # so that the same run can be started once more

    def __repr__(self) -> str:
        """Return what a terminal, or a page that cannot show widgets, prints instead."""
        runs = self.store.answer("runs", {}).get("result") or []
        lines = [f"{run['run_id']}  {run['status']}  step {run['step']}" for run in runs[:_SHOWN]]
        head = "raylm cockpit: run this cell in JupyterLab to see it."
        return "\n".join([head, *(lines or ["No runs yet."])])

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        return {**bundle, "text/plain": repr(self)} if isinstance(bundle, dict) else bundle


def cockpit(
    recipe: Recipe | str | Path | None = None, run_id: str = "", storage: str | None = None
) -> Cockpit:
    """Return the cockpit: choose, launch, watch, stop and resume runs.

    It shows what the storages hold, so it may be opened again at any time, also after a kernel restart.

    Args:
        recipe: The recipe to begin with, or its file.
        run_id: The run to show first; by default the newest.
        storage: Where runs are started and looked for; by default wherever raylm looks.

    Raises:
        BadInput: the recipe's file is not right.
    """
    first = Recipe.load(recipe) if isinstance(recipe, str | Path) else recipe
    return Cockpit(Store(storage, first=first), run_id)
