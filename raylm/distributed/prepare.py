"""Ray Data as the workers of a preparation: the same tasks on the nodes of a cluster, over shared storage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from raylm.config.choice import load_plugin, loaded_plugins
from raylm.data.workers import answer

T = TypeVar("T")
R = TypeVar("R")


class RayData:
    """Runs tasks on the connected cluster. Inputs and storage must be reachable from every node."""

    def map(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        import ray.data
        from ray import cloudpickle

        if not tasks:
            return
        # The preparation shows its own progress, and Ray's would come once a step.
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        plugins = loaded_plugins()
        pack = cloudpickle.dumps  # pyright: ignore[reportPrivateImportUsage] - it is what Ray itself uses

        def run(row: dict[str, Any]) -> dict[str, Any]:
            for path in plugins:
                load_plugin(path)
            number, result, error = answer(function, row["number"], cloudpickle.loads(row["task"]))
            return {"number": number, "result": [result, error]}

        # As bytes: a task of a plug-in's kind can be unpacked only where the plug-in is loaded.
        items = [{"number": number, "task": pack(task)} for number, task in enumerate(tasks)]
        # One task a block: Ray Data balances blocks, and a task is seconds of work.
        dataset = ray.data.from_items(items, override_num_blocks=len(items)).map(run)
        for row in dataset.iter_rows():
            result, error = row["result"]
            if error is not None:
                raise error
            yield row["number"], result
