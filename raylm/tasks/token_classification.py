"""Token classification: which words of a text name something, as IOB2 tags; named entities and the like."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator

from raylm.config.near import did_you_mean
from raylm.data.records import NoTextError, look_up, type_name
from raylm.data.row_task import refuse_one_label
from raylm.metrics.entities import OUTSIDE, entity_f1, mended, ordered
from raylm.tasks import AnswerKind, Encoded, Judged, Record, Task

if TYPE_CHECKING:
    from tokenizers import Encoding

    from raylm.data.text_encoder import TextEncoder

_NOT_LEARNED = -100  # what cross-entropy leaves out


class TokenClassification(Task):
    """Rows of words, each with a tag: O, or B-x where an x begins, or I-x where it goes on."""

    kind: Literal["token_classification"] = "token_classification"
    tokens_field: str = "tokens"
    """The field of the words, a list of texts."""
    tags_field: str = "tags"
    """The field of the tags, a list as long: texts such as B-PER, or numbers that count labels from 0."""
    labels: tuple[str, ...] = ()
    """Names of the tags, in the order of their numbers; unset: those of the training rows, O first."""

    objectives: ClassVar[tuple[str, ...]] = ("token_classification",)
    answers: ClassVar[AnswerKind] = "tags"

    @field_validator("labels")
    @classmethod
    def _are_tags(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if missing := [tag for tag in ordered(labels) if labels and tag not in labels]:
            raise ValueError(f"{missing[0]} is missing: rows without it cannot be tagged")
        if len(set(labels)) < len(labels):
            raise ValueError("a tag stands there twice")
        return labels

    def field_names(self) -> tuple[str, ...]:
        return (self.tokens_field, self.tags_field)

    def record(self, values: Mapping[str, Any]) -> Record:
        words = _listed(values, self.tokens_field, "words")
        for place, word in enumerate(words):
            if not isinstance(word, str):
                message = f"{self.tokens_field}: item {place} is {type_name(word)}; want text"
                raise NoTextError(message, "quote it", "type", self.tokens_field)
        if not words:
            raise NoTextError(f"{self.tokens_field} is empty", code="empty", name=self.tokens_field)
        tags = [self._tag(tag) for tag in _listed(values, self.tags_field, "tags")]
        if len(tags) != len(words):
            message = f"{len(words)} {self.tokens_field}, {len(tags)} {self.tags_field}"
            raise NoTextError(message, "give one tag for each word", "lengths", self.tags_field)
        return {"words": words, "tags": self._mended(tags)}

    def _tag(self, tag: Any) -> str:
        name, labels = self.tags_field, self.labels
        if isinstance(tag, str):
            if labels and tag not in labels:
                message = f"{name}: {tag[:80]!r} is none of the {len(labels)} labels"
                raise NoTextError(message, did_you_mean(tag, labels), "label", name)
            return tag
        if isinstance(tag, bool) or not isinstance(tag, int):
            raise NoTextError(f"{name}: want texts or numbers, got {type_name(tag)}", "", "type", name)
        if not labels:
            mend = "give task.labels: the tags in the order of their numbers"
            raise NoTextError(f"{name} are numbers", mend, "label", name)
        if not 0 <= tag < len(labels):
            raise NoTextError(f"{name} {tag}: labels has {len(labels)} names", "", "label", name)
        return labels[tag]

    def _mended(self, tags: list[str]) -> list[str]:
        """Return them in IOB2; rows in the older IOB1 become so."""
        try:
            return mended(tags)
        except ValueError as error:
            mend = "write B-x for the first word of an x, I-x for those after it"
            raise NoTextError(f"{self.tags_field}: {error}", mend, "tag", self.tags_field) from None

    def texts(self, record: Record) -> tuple[str, ...]:
        return (" ".join(record["words"]),)

    @property
    def has_labels(self) -> bool:
        return True

    def label_names(self, record: Record) -> Iterable[str]:
        return ordered(record["tags"])

    def label_set(self, names: Iterable[str]) -> tuple[str, ...]:
        found = set(names)
        refuse_one_label(found)
        return self.labels or tuple(ordered(found))

    def encode(self, record: Record, encoder: TextEncoder) -> list[Encoded]:
        encoding = encoder.whole(" ".join(record["words"]))
        target = [_NOT_LEARNED] * len(encoding.ids)
        for place, tag in zip(first_tokens(record["words"], encoding), record["tags"], strict=True):
            if place is not None:
                target[place] = encoder.label_id(tag)
        return [Encoded(encoding.ids, target)]

    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        return Judged(*entity_f1([record["tags"] for record in records], answers))

    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        known = _usual_tags(train)
        return {"dictionary": [_looked_up(record["words"], known) for record in records]}


def first_tokens(words: Sequence[str], encoding: Encoding) -> list[int | None]:
    """Return where in the input each word's first token stands; None for a word that has none of its own.

    Args:
        words: of the record.
        encoding: what `TextEncoder.whole` makes of the words with a blank between two.
    """
    text = " ".join(words)
    word_of = [number for number, word in enumerate(words) for _ in range(len(word) + 1)]
    found: list[int | None] = [None] * len(words)
    pieces = zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
    for place, ((start, stop), is_special) in enumerate(pieces):
        # A byte-level token may begin with the blank before its word: its last character tells.
        last = start + len(text[start:stop].rstrip()) - 1
        if not is_special and last >= start and found[word_of[last]] is None:
            found[word_of[last]] = place
    return found


def _listed(values: Mapping[str, Any], name: str, what: str) -> list[Any]:
    found = values[name] if name in values else look_up(values, name, was_seen=False)
    if found is None:
        raise NoTextError(f"{name} is null", code="null", name=name)
    if not isinstance(found, list):
        raise NoTextError(f"{name}: want a list of {what}, got {type_name(found)}", "", "type", name)
    return found


def _usual_tags(train: Iterable[Record]) -> dict[str, str]:
    """Return the most frequent tag of each word, and of each word in lower case."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in train:
        for word, tag in zip(record["words"], record["tags"], strict=True):
            for form in {word, word.lower()}:
                counts[form][tag] += 1
    return {word: tags.most_common(1)[0][0] for word, tags in counts.items()}


def _looked_up(words: Sequence[str], known: Mapping[str, str]) -> list[str]:
    return mended([known.get(word, known.get(word.lower(), OUTSIDE)) for word in words])
