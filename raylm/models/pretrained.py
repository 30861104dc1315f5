"""A model from elsewhere: a Hugging Face folder, or a name on the hub, with its weights or only its shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from raylm.config.errors import BadInput, Problem
from raylm.config.sections import knob
from raylm.models import ModelFamily, Vocabulary

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

_FIELD = "model.path"


class Pretrained(ModelFamily):
    """A model that transformers loads; code that a folder brings along is never run."""

    kind: Literal["pretrained"] = "pretrained"
    path: str
    """A folder with config.json and safetensors, or a name on the hub such as "org/model"."""
    has_fresh_weights: bool = knob(default=False, advanced=True)
    """Whether only the shape is taken, and the weights are drawn at random."""

    heads: ClassVar = {
        "causal": "AutoModelForCausalLM",
        "masked": "AutoModelForMaskedLM",
        "pretraining": "AutoModelForPreTraining",
        "seq2seq": "AutoModelForSeq2SeqLM",
        "permutation": "AutoModelForCausalLM",
    }

    @classmethod
    def usual_tokenizer(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        return {"kind": "pretrained", "path": str(values.get("path", ""))}

    def config(self, vocabulary: Vocabulary, sequence_length: int) -> PretrainedConfig:
        del vocabulary, sequence_length
        return _config(self.path)

    def build(self, vocabulary: Vocabulary, sequence_length: int, head: str | None = None) -> PreTrainedModel:
        import torch
        import transformers

        from raylm.kernels.relative_positions import share_positions

        del vocabulary, sequence_length
        loader = getattr(transformers, self.heads[head or "causal"])
        config = _config(self.path)
        try:
            model = (
                loader.from_config(config)
                if self.has_fresh_weights
                else loader.from_pretrained(self.path, dtype=torch.float32, use_safetensors=True)
            )
        except (OSError, ValueError) as error:
            raise _unreadable(self.path, error) from None
        if config.model_type == "xlnet":
            share_positions(model)
        return model

    def problems(self, head: str, sequence_length: int, vocab_size: int | None) -> list[Problem]:
        try:
            config = _config(self.path)
        except BadInput as error:
            return list(error.problems)
        found = [_class_problem(config, head), _length_problem(config, sequence_length)]
        known = config.get_text_config().vocab_size
        if vocab_size is not None and vocab_size > known:
            message = f"has {vocab_size:,} ids, the model of {self.path} knows {known:,}"
            mend = "use the model's own tokenizer: tokenizer.kind=pretrained, tokenizer.path as model.path"
            found.append(Problem("tokenizer", message, mend, code="vocab_size"))
        return [problem for problem in found if problem is not None]

    def num_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        """Return the parameters of the model with that head, or with another where it has no such one."""
        del vocab_size, sequence_length
        fitting = [name for name in (head, *self.heads) if name and _fits(_config(self.path), name)]
        loader = self.heads[fitting[0]] if fitting else "AutoModel"
        return _count(_config(self.path).to_json_string(use_diff=False), loader)

    def flops_per_token(self, vocab_size: int, sequence_length: int) -> float:
        """Return 6 N + 12 L D T with N all parameters; embeddings that are only looked up count too."""
        config = _config(self.path).get_text_config()
        attention = 12 * config.num_hidden_layers * config.hidden_size * sequence_length
        return 6 * self.num_parameters(vocab_size, sequence_length) + attention

    def activation_bytes_per_token(self, sequence_length: int) -> int:
        config = _config(self.path).get_text_config()
        per_layer = 34 * config.hidden_size + 5 * config.num_attention_heads * sequence_length
        return 2 * config.num_hidden_layers * per_layer


def _config(path: str) -> PretrainedConfig:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


@lru_cache(maxsize=8)
def _count(config: str, loader: str) -> int:
    """Count the parameters of a configuration's model; no memory is taken for them."""
    import torch
    import transformers

    values = json.loads(config)
    shape = transformers.AutoConfig.for_model(**values)
    with torch.device("meta"):
        model = getattr(transformers, loader).from_config(shape)
    return sum(weight.numel() for weight in model.parameters())


def _fits(config: PretrainedConfig, head: str) -> bool:
    """Whether transformers has the head for a model of this configuration."""
    import transformers

    loader = getattr(transformers, Pretrained.heads[head])
    return type(config) in loader._model_mapping  # noqa: SLF001


def _class_problem(config: PretrainedConfig, head: str) -> Problem | None:
    if _fits(config, head):
        return None
    loader = Pretrained.heads[head]
    message = f"the objective needs {loader}, which transformers has for no {config.model_type}"
    return Problem("objective.kind", message, "choose the objective that the model was made for", code="fit")


def _length_problem(config: PretrainedConfig, sequence_length: int) -> Problem | None:
    most = getattr(config.get_text_config(), "max_position_embeddings", None)
    if not most or most < 0 or sequence_length <= most:
        return None
    message = f"{sequence_length:,} tokens are more than the model's {most:,} positions"
    return Problem("train.sequence_length", message, f"try {most}", code="length")


def _unreadable(path: str, error: Exception) -> BadInput:
    reason = str(error).partition("\n")[0].rstrip(".")
    mend = "name a folder with config.json and model.safetensors, or a hub's model that can be reached"
    return BadInput.one(_FIELD, f"{path} cannot be loaded: {reason}", mend, code="pretrained")
