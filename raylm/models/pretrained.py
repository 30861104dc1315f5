"""A model from elsewhere: a Hugging Face folder, or a name on the hub, with its weights or only its shape."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from raylm.config.errors import BadInput, Problem
from raylm.config.sections import knob
from raylm.models import Classes, ModelFamily, Vocabulary
from raylm.runs.local_copy import local_copy

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
        "sequence_classification": "AutoModelForSequenceClassification",
        "token_classification": "AutoModelForTokenClassification",
        "question_answering": "AutoModelForQuestionAnswering",
    }

    @classmethod
    def usual_heads(cls, values: Mapping[str, Any]) -> Iterable[str]:
        try:
            config = _config(str(values.get("path", "")))
        except BadInput:
            return cls.heads  # a later check says what is wrong
        return [head for head in cls.heads if _fits(config, head)]

    @classmethod
    def usual_tokenizer(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        return {"kind": "pretrained", "path": str(values.get("path", ""))}

    def config(self, vocabulary: Vocabulary, sequence_length: int) -> PretrainedConfig:
        del vocabulary, sequence_length
        return _config(self.path)

    def build_on(
        self,
        vocabulary: Vocabulary,
        sequence_length: int,
        head: str,
        classes: Classes | None,
        quantization: Any = None,
    ) -> tuple[PreTrainedModel, Sequence[str]]:
        import transformers

        from raylm.kernels.relative_positions import fit_for_training

        del sequence_length
        loader = getattr(transformers, self.heads[head])
        config = _config(self.path)
        if classes is not None:
            classes.put_into(config, vocabulary)
        if self.has_fresh_weights:
            model, fresh = loader.from_config(config), ()
        else:
            model, fresh = _loaded(loader, self.path, config, quantization)
            if classes is not None and not _is_same_head(model, _config(self.path)):
                model, fresh = _with_fresh_head(model, loader.from_config(config), fresh)
        if config.model_type == "xlnet":
            fit_for_training(model)
        return model, fresh

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
        return self.language_parameters(vocab_size, sequence_length, head)

    def language_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        """Return the parameters of the model with that head, or with another where it has no such one."""
        del vocab_size, sequence_length
        config = _config(self.path)
        fitting = [name for name in (head, _own_head(config), *self.heads) if name and _fits(config, name)]
        loader = self.heads[fitting[0]] if fitting else "AutoModel"
        return _count(config.to_json_string(use_diff=False), loader)

    def body_flops_per_token(self, sequence_length: int) -> float:
        """Return 6 N + 12 L D T with N all parameters but the table of embeddings, which is only looked up.

        A token of an encoder-decoder passes one of its two stacks.
        """
        whole = _config(self.path)
        config = whole.get_text_config()
        table = config.vocab_size * config.hidden_size
        weights = _count(whole.to_json_string(use_diff=False), "AutoModel") - table
        attention = 12 * config.num_hidden_layers * config.hidden_size * sequence_length
        return 6 * weights / (2 if whole.is_encoder_decoder else 1) + attention

    def head_flops_per_token(self, vocab_size: int) -> float:
        return 6 * vocab_size * _config(self.path).get_text_config().hidden_size

    def activation_bytes_per_token(self, sequence_length: int) -> int:
        config = _config(self.path).get_text_config()
        per_layer = 34 * config.hidden_size + 5 * config.num_attention_heads * sequence_length
        return 2 * config.num_hidden_layers * per_layer


def _config(path: str) -> PretrainedConfig:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(_readable(path))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _loaded(
    loader: Any, path: str, config: PretrainedConfig, quantization: Any
) -> tuple[PreTrainedModel, Sequence[str]]:
    """Return a model with a folder's weights, and the modules for which the folder has none that fit."""
    import torch

    options = {"dtype": torch.float32, "use_safetensors": True, "ignore_mismatched_sizes": True}
    if quantization is not None:  # at once where they are computed with: they are made for it
        place = torch.cuda.current_device() if torch.cuda.is_available() else "cpu"
        options |= {"quantization_config": quantization, "device_map": {"": place}}
    try:
        model, found = loader.from_pretrained(
            _readable(path), config=config, output_loading_info=True, **options
        )
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    names = {*found["missing_keys"], *(each[0] for each in found["mismatched_keys"])}
    return model, sorted({name.rpartition(".")[0] for name in names})


def _is_same_head(model: PreTrainedModel, saved: PretrainedConfig) -> bool:
    """Whether the folder's own head does what this one is to do: tell the same classes apart."""
    is_same_class = (saved.architectures or [""])[0] == type(model).__name__
    return is_same_class and saved.id2label == model.config.id2label


def _with_fresh_head(
    loaded: PreTrainedModel, fresh: PreTrainedModel, missing: Sequence[str]
) -> tuple[PreTrainedModel, Sequence[str]]:
    """Return the part that reads of one model below the head of another, and the modules that are fresh."""
    fresh.base_model.load_state_dict(loaded.base_model.state_dict())
    reads = set(fresh.base_model.parameters())
    head = {name.rpartition(".")[0] for name, weight in fresh.named_parameters() if weight not in reads}
    return fresh, sorted(head | set(missing))


def _readable(path: str) -> str:
    """Return what transformers reads: a hub's name or a local folder as it is, else a copy of the folder."""
    return local_copy(path) if "://" in path else path


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


def _own_head(config: PretrainedConfig) -> str | None:
    """Return the head that the model was saved with, if it is one of ours."""
    import transformers

    for head, loader in Pretrained.heads.items():
        mapping = getattr(transformers, loader)._model_mapping  # noqa: SLF001
        if type(config) in mapping and mapping[type(config)].__name__ in (config.architectures or ()):
            return head
    return None


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
