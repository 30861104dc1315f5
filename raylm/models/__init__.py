"""What a model family is; every other file here is one family over transformers' own classes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self, TypeAlias

from pydantic import model_validator

from raylm.config.choice import Choice
from raylm.config.errors import Problem
from raylm.config.sections import knob
from raylm.config.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

__all__ = ["Classes", "Encoder", "ModelFamily", "Size", "Transformer", "Vocabulary"]

Size: TypeAlias = Literal["tiny", "mini", "small", "medium", "base", "large"]


class _Shape(NamedTuple):
    num_layers: int
    num_heads: int
    hidden_size: int


# The miniatures of Turc et al. 2019 (heads of 64 features), and BERT's two sizes (Devlin et al. 2019).
SIZES: Mapping[str, _Shape] = {
    "tiny": _Shape(2, 2, 128),
    "mini": _Shape(4, 4, 256),
    "small": _Shape(4, 8, 512),
    "medium": _Shape(8, 8, 512),
    "base": _Shape(12, 12, 768),
    "large": _Shape(24, 16, 1024),
}


CLASSIFYING = ("sequence_classification", "token_classification", "question_answering")
"""Heads that say something of what the model has read, and predict no tokens."""


class Classes(NamedTuple):
    """What a head that classifies tells apart."""

    names: tuple[str, ...]
    """Of the classes, in the order of their ids; none for a head that has no classes."""
    problem_type: str | None = None
    """What transformers calls the kind of the classes, such as "multi_label_classification"."""

    def put_into(self, config: PretrainedConfig, vocabulary: Vocabulary) -> None:
        """Write the classes into a model's configuration."""
        from raylm.kernels.task_rows import padding_id

        if self.names:
            config.id2label = dict(enumerate(self.names))
            config.label2id = {name: number for number, name in enumerate(self.names)}
        elif self.problem_type == "regression":
            config.num_labels = 1
        config.problem_type = self.problem_type  # pyright: ignore[reportAttributeAccessIssue] - one of three names
        config.use_cache = False  # a head that classifies reads a text once
        if config.pad_token_id is None:  # a decoder finds the last token of a text by what fills its row up
            config.pad_token_id = padding_id(vocabulary)


class ModelFamily(Choice):
    """The architecture: which family of models, and how large."""

    heads: ClassVar[Mapping[str, str]]
    """What an objective may need on top, each with transformers' class that has it; the usual one first."""
    tokenizer: ClassVar[Mapping[str, str]] = {"kind": "byte_bpe", "special_tokens": "gpt"}
    """The tokenizer of a recipe that names none."""
    reads: ClassVar[float] = 1.0
    """Tokens that the model reads for each token of a sequence: a decoder of its own reads some more."""

    @classmethod
    def usual_tokenizer(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the tokenizer section for a recipe that names none, given this section's own values."""
        del values
        return cls.tokenizer

    @classmethod
    def usual_heads(cls, values: Mapping[str, Any]) -> Iterable[str]:
        """Return the heads that the model can have, given this section's own values; the usual one first."""
        del values
        return cls.heads

    def problems(self, head: str, sequence_length: int, vocab_size: int | None) -> list[Problem]:
        """Return why a run cannot be made with this model; `vocab_size` is None while it is not known."""
        del head, sequence_length, vocab_size
        return []

    @abstractmethod
    def config(self, vocabulary: Vocabulary, sequence_length: int) -> PretrainedConfig:
        """Return the transformers configuration for sequences of at most `sequence_length` tokens."""

    def build(
        self,
        vocabulary: Vocabulary,
        sequence_length: int,
        head: str | None = None,
        classes: Classes | None = None,
    ) -> PreTrainedModel:
        """Return the model with float32 weights; fresh ones are drawn from torch's global generator.

        Args:
            vocabulary: of the tokenizer.
            sequence_length: tokens that the model is to read at once.
            head: what the objective needs on top, one of `heads`; the first of them if not given.
            classes: what a head that classifies tells apart.
        """
        return self.build_on(vocabulary, sequence_length, head or next(iter(self.heads)), classes)[0]

    def build_on(
        self,
        vocabulary: Vocabulary,
        sequence_length: int,
        head: str,
        classes: Classes | None,
        quantization: Any = None,
    ) -> tuple[PreTrainedModel, Sequence[str]]:
        """Return the model, and the modules for which files that it was read from hold no weights.

        Args:
            vocabulary: of the tokenizer.
            sequence_length: tokens that the model is to read at once.
            head: one of `heads`.
            classes: what a head that classifies tells apart.
            quantization: transformers' configuration of how weights that are read are stored.
        """
        import transformers

        del quantization  # fresh weights are not read
        config = self.config(vocabulary, sequence_length)
        if classes is not None:
            classes.put_into(config, vocabulary)
        return getattr(transformers, self.heads[head])(config), ()

    def num_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        """Return the number of parameters, tied weights once; a head that classifies tells two apart."""
        if head not in CLASSIFYING:
            return self.language_parameters(vocab_size, sequence_length, head)
        import torch

        with torch.device("meta"):  # no memory is taken
            model = self.build(Vocabulary(vocab_size), sequence_length, head, Classes(("no", "yes")))
        return sum(weight.numel() for weight in model.parameters())

    @abstractmethod
    def language_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        """Return the number of parameters with a head that predicts tokens, without building the model."""

    def size_parameters(self, vocab_size: int, sequence_length: int, head: str) -> dict[str, int]:
        """Return the parameters of each size that can be asked for by name; nothing where none can."""
        del vocab_size, sequence_length, head
        return {}

    def flops_per_token(self, vocab_size: int, sequence_length: int) -> float:
        """Return FLOPs of forward and backward for one token of a full sequence in which each is predicted.

        6 N + 12 L D T, with N the parameters that multiply activations, L layers, D the hidden size and T the
        sequence length (Chowdhery et al. 2022, PaLM, appendix B).
        """
        return self.body_flops_per_token(sequence_length) + self.head_flops_per_token(vocab_size)

    @abstractmethod
    def body_flops_per_token(self, sequence_length: int) -> float:
        """Return the part of `flops_per_token` that each token that is read costs."""

    @abstractmethod
    def head_flops_per_token(self, vocab_size: int) -> float:
        """Return the part of `flops_per_token` that each predicted token costs: the output layer's."""

    @abstractmethod
    def activation_bytes_per_token(self, sequence_length: int) -> int:
        """Return bytes of float32 activations that a token keeps for backward (Korthikanti et al. 2022)."""


class Transformer(ModelFamily):
    """What the families share whose size is layers, heads and width."""

    size: Size | None = None
    """A shape by name, from tiny (2 layers of 128) to large (24 of 1024), in place of the three numbers."""
    num_layers: int = knob(12, ge=1, unit="layers")
    """Transformer blocks."""
    num_heads: int = knob(12, ge=1, unit="heads")
    """Attention heads; must divide the hidden size."""
    hidden_size: int = knob(768, ge=1, unit="features")
    """Width of the residual stream."""
    dropout: float = knob(0.0, ge=0, lt=1, advanced=True)
    """Share of activations dropped while training (embeddings, attention and residual branches)."""

    @model_validator(mode="before")
    @classmethod
    def _sized(cls, values: Any) -> Any:
        shape = SIZES.get(values.get("size", "")) if isinstance(values, dict) else None
        if shape is None:
            return values
        named = shape._asdict()
        others = {name: values[name] for name in named if values.get(name, named[name]) != named[name]}
        if others:
            raise ValueError(
                f"size {values['size']} is {_listed(named)}; {_listed(others)} cannot hold beside it; "
                "leave out size, or those"
            )
        return {**values, **named}

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % self.num_heads:
            lower = self.hidden_size // self.num_heads * self.num_heads
            near = ", ".join(str(size) for size in (lower, lower + self.num_heads) if size)
            raise ValueError(
                f"hidden_size ({self.hidden_size}) must be a multiple of num_heads ({self.num_heads}); "
                f"near values: {near}"
            )
        return self

    @abstractmethod
    def matrix_parameters(self, vocab_size: int) -> int:
        """Return the parameters that multiply activations: those of the blocks and of the output head."""

    def body_flops_per_token(self, sequence_length: int) -> float:
        attention = 12 * self.num_layers * self.hidden_size * sequence_length
        return 6 * self.matrix_parameters(0) + attention

    def head_flops_per_token(self, vocab_size: int) -> float:
        return 6 * vocab_size * self.hidden_size

    def size_parameters(self, vocab_size: int, sequence_length: int, head: str) -> dict[str, int]:
        return {
            name: self.model_copy(update=shape._asdict()).num_parameters(vocab_size, sequence_length, head)
            for name, shape in SIZES.items()
        }

    def activation_bytes_per_token(self, sequence_length: int) -> int:
        return 2 * self.num_layers * (34 * self.hidden_size + 5 * self.num_heads * sequence_length)


class Encoder(Transformer):
    """What BERT and its kin share: learned positions, one stack that sees both sides."""

    initializer_range: float = knob(0.02, gt=0, le=1, advanced=True)
    """Standard deviation of fresh weights."""

    num_token_types: ClassVar[int]
    """Kinds of texts that an input may hold side by side."""

    def num_positions(self, sequence_length: int, pad_token_id: int | None) -> int:
        """Return the positions that sequences of this length need."""
        del pad_token_id
        return sequence_length

    def settings(self, vocabulary: Vocabulary, sequence_length: int) -> dict[str, Any]:
        """Return what the families' configurations call alike."""
        return {
            "vocab_size": vocabulary.size,
            "max_position_embeddings": self.num_positions(sequence_length, vocabulary.pad_token_id),
            "type_vocab_size": self.num_token_types,
            "hidden_size": self.hidden_size,
            "intermediate_size": 4 * self.hidden_size,
            "num_hidden_layers": self.num_layers,
            "num_attention_heads": self.num_heads,
            "hidden_dropout_prob": self.dropout,
            "attention_probs_dropout_prob": self.dropout,
            "initializer_range": self.initializer_range,
            "pad_token_id": vocabulary.pad_token_id,
            "eos_token_id": vocabulary.eos_token_id,
            "bos_token_id": vocabulary.bos_token_id,
        }

    def language_parameters(self, vocab_size: int, sequence_length: int, head: str | None = None) -> int:
        width = self.hidden_size
        embeddings = self.num_positions(sequence_length, None) + self.num_token_types + 2  # a LayerNorm
        norms_and_biases = 13 * self.num_layers * width + 3 * width + vocab_size
        pair = width**2 + 3 * width + 2 if head == "pretraining" else 0
        return self.matrix_parameters(vocab_size) + embeddings * width + norms_and_biases + pair

    def matrix_parameters(self, vocab_size: int) -> int:
        """Return the weights of products: the blocks, the head's own layer and its output."""
        return (12 * self.num_layers + 1) * self.hidden_size**2 + vocab_size * self.hidden_size


def _listed(numbers: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in numbers.items())
