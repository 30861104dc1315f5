"""One start of a Ray Train worker group."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from raylm.config.errors import RunFailed
from raylm.config.sections import ScalingSection


class WorkersLost(Exception):  # noqa: N818 - says what happened
    """Workers died; the same start may be made again."""


def fit(values: dict[str, Any], scaling: ScalingSection, name: str, storage: str) -> dict[str, Any]:
    """Run `work` in a fresh worker group and return rank 0's answer.

    Args:
        values: The work, as plain values.
        scaling: How many workers, of what size.
        name: Ray's own name of this start. It is never used twice: Ray continues a name that it has seen,
            and its own record of a run is not crash-safe.
        storage: Where Ray keeps that record.

    Raises:
        WorkersLost: A worker died.
        RunFailed: Ray could not run the workers at all.
    """
    from ray.train import ControllerError, TrainingFailedError

    trainer = _trainer(values, scaling, name, storage)
    try:
        # In the main thread Ray would take Ctrl-C for itself and abort; the driver saves a checkpoint.
        with ThreadPoolExecutor(1) as pool:
            return cast("dict[str, Any]", pool.submit(trainer.fit).result().return_value)
    except ControllerError as error:
        raise RunFailed(f"Ray could not run the workers: {_last_line(error)}", "see the run's logs") from None
    except TrainingFailedError as error:
        raise WorkersLost(_last_line(error)) from None


def _trainer(values: dict[str, Any], scaling: ScalingSection, name: str, storage: str) -> Any:
    from ray.train import FailureConfig, RunConfig, ScalingConfig

    from raylm.distributed.trainer import LeanTrainer, SharedGpusConfig, ray_work

    return LeanTrainer(
        ray_work,
        train_loop_config=values,
        backend_config=SharedGpusConfig(),
        scaling_config=ScalingConfig(
            num_workers=scaling.num_workers,
            use_gpu=bool(scaling.gpus_per_worker),
            resources_per_worker=_resources(scaling),
        ),
        # Restarts are the driver's: it knows at which step the last one failed, and gives each a new attempt.
        run_config=RunConfig(
            name=name,
            storage_path=storage,
            failure_config=FailureConfig(max_failures=0, controller_failure_limit=2),
        ),
    )


def _resources(scaling: ScalingSection) -> dict[str, float]:
    gpus = {"GPU": scaling.gpus_per_worker} if scaling.gpus_per_worker else {}
    return {"CPU": scaling.cpus_per_worker, **gpus}


def _last_line(error: Exception) -> str:
    """Return what a person needs of Ray's long message: its last line says what was raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
