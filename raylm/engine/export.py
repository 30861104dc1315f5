"""A checkpoint as a Hugging Face folder."""

from __future__ import annotations

from pathlib import Path

from transformers import GenerationConfig

from raylm.config.errors import BadInput
from raylm.engine.card import model_card
from raylm.engine.restore import restore
from raylm.runs.run import Run


def export(run: Run, step: int | None, folder: Path) -> int:
    """Write model (safetensors), tokenizer, generation settings and model card; return the step.

    `from_pretrained` loads the folder.

    Raises:
        BadInput: The folder holds something already, or the checkpoint is damaged.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput.one("--to", f"{folder} is not empty", "name a new folder")
    restored = restore(run, step)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = restored.tokenizer
    restored.model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
        decoder_start_token_id=getattr(restored.model.config, "decoder_start_token_id", None),
    )
    restored.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(model_card(run, restored.checkpoint), encoding="utf-8")
    return restored.checkpoint.step
