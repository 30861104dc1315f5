"""A model and its tokenizer from a checkpoint, in this process, for generating and exporting."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import torch
import transformers
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from raylm.config.errors import BadInput
from raylm.engine import checkpoint
from raylm.engine.world import World
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.fork import starting_checkpoint
from raylm.runs.manifest import Corrupt
from raylm.runs.run import Run


class Restored(NamedTuple):
    """A checkpoint brought back."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    checkpoint: Checkpoint


def restore(run: Run, step: int | None = None) -> Restored:
    """Return the model of a run's checkpoint in evaluation mode, float32, and its tokenizer.

    Args:
        run: The run.
        step: The checkpoint; the newest good one when not given.

    Raises:
        BadInput: There is no such checkpoint, or it is damaged.
    """
    found = _find(run, step)
    assert found.folder is not None
    with tempfile.TemporaryDirectory() as scratch:
        config = AutoConfig.from_pretrained(_fetched(run, "model", Path(scratch)))
        tokenizer = AutoTokenizer.from_pretrained(_fetched(run, "tokenizer", Path(scratch)))
    if tokenizer.eos_token is None:  # BERT's family ends a document with its separator
        tokenizer.eos_token = tokenizer.sep_token
    model = _class_of(config)(config)
    with torch.no_grad():
        checkpoint.load(found.folder, checkpoint.model_tensors(model), World(0, 1, torch.device("cpu")))
    return Restored(model.eval(), tokenizer, found)


def _find(run: Run, step: int | None) -> Checkpoint:
    if step is None:
        found, _ = starting_checkpoint(run)
        if found is None:
            raise BadInput.one(
                "run",
                f"{run.run_id} has no checkpoint yet",
                "wait for its first one (checkpoint.every_steps)",
            )
        return found
    try:
        run.checkpoints.verify(step)
    except Corrupt as error:
        raise BadInput.one("step", str(error), f"see: raylm checkpoints list {run.run_id}") from None
    found = run.checkpoints.show(step)
    assert found is not None
    return found


def _fetched(run: Run, name: str, scratch: Path) -> Path:
    """Return a folder of the run as a folder on this machine, which is what transformers reads."""
    local = run.folder.local_path(name)
    if local is not None:
        return local
    copy = scratch / name
    copy.mkdir()
    for file in run.folder.names(name):
        (copy / file).write_bytes(run.folder.read(f"{name}/{file}"))
    return copy


def _class_of(config: transformers.PretrainedConfig) -> type[PreTrainedModel]:
    """Return transformers' class that the configuration names; nothing but a model class is ever called."""
    name = (config.architectures or [""])[0]
    found = getattr(transformers, name, None)
    if not (isinstance(found, type) and issubclass(found, PreTrainedModel)):
        raise BadInput.one(
            "model/config.json", f"{name!r} is not a model class of transformers", "restore the file"
        )
    return found
