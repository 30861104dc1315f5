"""What a run keeps of its model beside the weights: configuration, class and tokenizer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import transformers
from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from raylm.config.errors import BadInput
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.fork import starting_checkpoint
from raylm.runs.manifest import Corrupt
from raylm.runs.run import Run


def model_config(run: Run) -> PretrainedConfig:
    """Return the configuration of a run's model."""
    with tempfile.TemporaryDirectory() as scratch:
        return AutoConfig.from_pretrained(_fetched(run, "model", Path(scratch)))


def run_tokenizer(run: Run) -> PreTrainedTokenizerBase:
    """Return a run's tokenizer; it always has a token that ends a text."""
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = AutoTokenizer.from_pretrained(_fetched(run, "tokenizer", Path(scratch)))
    if tokenizer.eos_token is None:  # BERT's family ends a document with its separator
        tokenizer.eos_token = tokenizer.sep_token
    return tokenizer


def model_class(config: PretrainedConfig) -> type[PreTrainedModel]:
    """Return transformers' class that the configuration names; nothing but a model class is ever called."""
    name = (config.architectures or [""])[0]
    found = getattr(transformers, name, None)
    if not (isinstance(found, type) and issubclass(found, PreTrainedModel)):
        raise BadInput.one(
            "model/config.json", f"{name!r} is not a model class of transformers", "restore the file"
        )
    return found


def wanted_checkpoint(run: Run, step: int | None) -> Checkpoint:
    """Return a run's checkpoint, its newest good one when no step is given.

    Raises:
        BadInput: there is no such checkpoint, or it is damaged.
    """
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
