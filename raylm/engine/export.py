"""A checkpoint as a Hugging Face folder."""

from __future__ import annotations

import stat
from pathlib import Path

from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from raylm.config.errors import BadInput
from raylm.config.outputs import check_new_folder
from raylm.engine.adapters import save_apart
from raylm.engine.card import model_card
from raylm.engine.restore import Restored, restore
from raylm.recipe import Recipe
from raylm.runs.run import Run


def export(run: Run, step: int | None, folder: Path, *, keep_adapter: bool = False) -> int:
    """Write model (safetensors), tokenizer, generation settings and model card; return the step.

    `from_pretrained` loads the folder. An adapter is merged into the weights, unless it is to stay apart:
    then the folder holds the adapter, as peft loads it, and in `base` the model that it goes on.

    Raises:
        BadInput: The folder holds something already or cannot be written, the checkpoint is damaged, or there
            is no adapter.
    """
    check_new_folder("--to", folder)
    restored = restore(run, step, keep_adapter=keep_adapter)
    if keep_adapter and restored.adapted is None:
        raise BadInput.one("--adapter", f"{run.run_id} trains no adapter", "leave the option out")
    folder.mkdir(parents=True, exist_ok=True)
    _save_tokenizer(run, restored, folder)
    if keep_adapter:
        save_apart(restored.adapted, folder)
    else:
        _save_model(restored.model, restored.tokenizer, folder)
    card = model_card(run, restored.checkpoint, is_apart=keep_adapter)
    (folder / "README.md").write_text(card, encoding="utf-8")
    _open_weights(folder)
    return restored.checkpoint.step


def _open_weights(folder: Path) -> None:
    """Give the weights the mode of the files beside them; safetensors lets only their owner read them."""
    mode = stat.S_IMODE((folder / "README.md").stat().st_mode)
    for weights in folder.rglob("*.safetensors"):
        weights.chmod(mode)


def _save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    if model.can_generate():
        model.generation_config = GenerationConfig(
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
            decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
        )
    model.save_pretrained(folder)


def _save_tokenizer(run: Run, restored: Restored, folder: Path) -> None:
    """Write the tokenizer, with what the task adds to it: how chats are written, what fills rows up."""
    tokenizer, pad = restored.tokenizer, restored.model.config.pad_token_id
    if tokenizer.pad_token is None and pad is not None and not restored.model.can_generate():
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(pad)
    task = Recipe.from_yaml(run.recipe_yaml()).task
    own = tokenizer.chat_template
    own = own.get("default") if isinstance(own, dict) else own
    template = None if task is None else task.written_template(own)
    if template is not None:
        tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
