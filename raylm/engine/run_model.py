"""What a run keeps of its model beside the weights: configuration, class and tokenizer."""

from __future__ import annotations

import transformers
from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from raylm.config.errors import BadInput
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.fork import good_checkpoint, starting_checkpoint
from raylm.runs.local_copy import local_copy
from raylm.runs.run import Run


def model_config(run: Run) -> PretrainedConfig:
    """Return the configuration of a run's model."""
    return AutoConfig.from_pretrained(local_copy((run.folder / "model").uri))


def run_tokenizer(run: Run) -> PreTrainedTokenizerBase:
    """Return a run's tokenizer; it always has a token that ends a text.

    Raises:
        BadInput: the run has lost it.
    """
    if not (run.folder / "tokenizer").names():
        raise BadInput.one("tokenizer", f"{run.run_id} has lost its tokenizer", "restore the run's folder")
    tokenizer = AutoTokenizer.from_pretrained(local_copy((run.folder / "tokenizer").uri))
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


def wanted_checkpoint(run: Run, step: int | None, *, deep: bool = True) -> Checkpoint:
    """Return a run's checkpoint; when no step is given the one that it would go on from.

    Raises:
        BadInput: there is no such checkpoint, or it is damaged, as far as `deep` looks.
    """
    if step is not None:
        return good_checkpoint(run, step, deep=deep)
    found, _ = starting_checkpoint(run)
    if found is None:
        message = f"{run.run_id} has no checkpoint yet"
        raise BadInput.one("run", message, "wait for its first one (checkpoint.every_steps)")
    return found
