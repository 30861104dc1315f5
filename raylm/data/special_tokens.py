"""The tokens with a meaning that each family of models expects, and how they stand around a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from raylm.config.vocabulary import Vocabulary

END_OF_TEXT = "<|endoftext|>"
UNKNOWN = "<unk>"
SENTINEL = re.compile(r"<extra_id_(\d+)>")  # stands for a span that is left out

Family: TypeAlias = Literal["gpt", "bert", "roberta", "t5", "xlnet"]


class SpecialTokens(NamedTuple):
    """A family's tokens: their order, what each is for, and the text of a model's input."""

    names: tuple[str, ...]
    """In the order of their ids."""
    roles: Mapping[str, str]
    """The token of each role, by the role's name in a tokenizer's configuration, such as "mask_token"."""
    single: str = "$A"
    """One text as a model's input; ":1" is the token type."""
    pair: str = "$A $B:1"
    inputs: tuple[str, ...] = ("input_ids", "attention_mask")
    """What a model of the family takes."""
    padding_side: Literal["left", "right"] = "right"

    def config(self) -> dict[str, Any]:
        """Return what `tokenizer_config.json` says of the tokens."""
        more = [name for name in self.names if name not in self.roles.values()]
        return {
            **self.roles,
            **({"extra_special_tokens": more} if more else {}),
            "model_input_names": list(self.inputs),
            "padding_side": self.padding_side,
        }

    def vocabulary(self) -> Vocabulary:
        """Return the tokens as a vocabulary of their own, numbered in their order."""
        numbers = {name: number for number, name in enumerate(self.names)}
        ids: dict[str, Any] = {f"{role}_id": numbers[name] for role, name in self.roles.items()}
        ids.setdefault("eos_token_id", ids.get("sep_token_id", 0))
        sentinels = tuple(numbers[name] for name in self.names if SENTINEL.fullmatch(name))
        return Vocabulary(len(self.names), **ids, sentinel_ids=sentinels, special_ids=(*numbers.values(),))

    def around(self) -> tuple[str, ...]:
        """Return the tokens that a model's input has around its texts."""
        parts = f"{self.single} {self.pair}".split()
        return tuple(sorted({part.partition(":")[0] for part in parts if not part.startswith("$")}))


def special_tokens(family: Family, *, has_unknown: bool) -> SpecialTokens:
    """Return a family's tokens; `has_unknown` gives GPT one for what is not in the vocabulary."""
    if family == "gpt" and has_unknown:
        names = (UNKNOWN, *_GPT.names)
        return _GPT._replace(names=names, roles={**_GPT.roles, "unk_token": UNKNOWN})
    return _FAMILIES[family]


# Radford et al. 2019: one token parts the texts, and begins a text that is made from nothing.
_GPT = SpecialTokens((END_OF_TEXT,), {"bos_token": END_OF_TEXT, "eos_token": END_OF_TEXT})

# Devlin et al. 2019, section 3.
_BERT = SpecialTokens(
    names=("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    roles={
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    },
    single="[CLS] $A [SEP]",
    pair="[CLS] $A [SEP] $B:1 [SEP]:1",
    inputs=("input_ids", "token_type_ids", "attention_mask"),
)

# Liu et al. 2019: BERT's places with other names, and no token types.
_ROBERTA = SpecialTokens(
    names=("<s>", "<pad>", "</s>", UNKNOWN, "<mask>"),
    roles={
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": UNKNOWN,
        "cls_token": "<s>",
        "sep_token": "</s>",
        "mask_token": "<mask>",
    },
    single="<s> $A </s>",
    pair="<s> $A </s> </s> $B </s>",
)

# Raffel et al. 2020, section 3.1.4: a sentinel for each span that is left out, 100 of them.
_T5 = SpecialTokens(
    names=("<pad>", "</s>", UNKNOWN, *(f"<extra_id_{number}>" for number in range(100))),
    roles={"pad_token": "<pad>", "eos_token": "</s>", "unk_token": UNKNOWN},
    single="$A </s>",
    pair="$A </s> $B </s>",
)

# Yang et al. 2019, section 2.5: the class stands at the end, and padding in front.
_XLNET = SpecialTokens(
    names=(UNKNOWN, "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>"),
    roles={
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": UNKNOWN,
        "cls_token": "<cls>",
        "sep_token": "<sep>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
    },
    single="$A <sep> <cls>:2",
    pair="$A <sep> $B:1 <sep>:1 <cls>:2",
    inputs=("input_ids", "token_type_ids", "attention_mask"),
    padding_side="left",
)

_FAMILIES: Mapping[Family, SpecialTokens] = {
    "gpt": _GPT,
    "bert": _BERT,
    "roberta": _ROBERTA,
    "t5": _T5,
    "xlnet": _XLNET,
}
