"""Sentences with mistakes put in by rule, as learners and hasty writers make them."""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from bench.samples.books import Chapter, is_narrative, sentences
from bench.samples.verbs import BASE

_WORDS = range(5, 26)
_NUM_ERRORS, _SHARES = (0, 1, 2, 3), (15, 40, 30, 15)  # percent of the sentences
_PLAIN = re.compile(r"[A-Z][A-Za-z',;:-]*( [A-Za-z',;:-]+)+[.!?]")
_LEAST_LETTERS = 5  # of a word that is misspelled

_Words: TypeAlias = list[str]
_Rule: TypeAlias = Callable[[_Words, random.Random], _Words | None]

_PREPOSITIONS = ("in", "on", "at", "to", "for", "from", "with", "of", "by", "into", "about")
_LITTLE = {
    "a",
    "an",
    "the",
    "to",
    "of",
    "is",
    "was",
    "are",
    "were",
    "had",
    "has",
    "it",
    "that",
    "in",
    "at",
    "and",
}
_ALIKE = (
    "their there they're",
    "your you're",
    "its it's",
    "to too two",
    "then than",
    "of off",
    "hear here",
    "know no",
    "were where we're",
    "whose who's",
    "peace piece",
    "right write",
    "quiet quite",
    "lose loose",
    "week weak",
    "by buy",
    "see sea",
    "one won",
    "our are",
    "knew new",
    "through threw",
    "would wood",
    "wait weight",
    "passed past",
    "accept except",
    "affect effect",
)
_AGREEMENT = "is are|was were|has have|does do|doesn't don't|isn't aren't|wasn't weren't|this these"


def _others(groups: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Return of each word the others of its group."""
    split = [group.split() for group in groups]
    return {word: [other for other in group if other != word] for group in split for word in group}


_HOMOPHONES = _others(_ALIKE)
_NUMBER = _others(_AGREEMENT.split("|"))
_ARTICLES = {"a": ("an", "the", ""), "an": ("a", "the", ""), "the": ("a", "")}


def pairs(clean: Sequence[str], draw: random.Random) -> Iterator[dict[str, str]]:
    """Yield each sentence as `target`, and with up to three mistakes as `source`."""
    for target in clean:
        (wanted,) = draw.choices(_NUM_ERRORS, _SHARES)
        yield {"source": with_errors(target, wanted, draw), "target": target}


def from_books(chapters: Iterable[Chapter], count: int, draw: random.Random) -> list[str]:
    """Return so many sentences of the books in which nobody speaks, drawn, in order."""
    texts = (paragraph for chapter in chapters for paragraph in chapter.paragraphs)
    found = [each for text in texts for each in sentences(text) if is_fit(each) and is_narrative(each)]
    found = list(dict.fromkeys(found))
    return [found[number] for number in sorted(draw.sample(range(len(found)), count))]


def is_fit(sentence: str) -> bool:
    """Whether a sentence is of a fair length and made of plain words."""
    return len(sentence.split()) in _WORDS and _PLAIN.fullmatch(sentence) is not None and "--" not in sentence


def with_errors(sentence: str, count: int, draw: random.Random) -> str:
    """Return a sentence with so many mistakes, fewer where it gives no occasion for more."""
    words, rules = sentence.split(), list(_RULES)
    draw.shuffle(rules)
    made = 0
    for rule in rules:
        if made == count:
            break
        changed = rule(list(words), draw)
        if changed is not None and changed != words:
            words, made = changed, made + 1
    text = " ".join(words)
    return text[0].upper() + text[1:]


def _replaced(words: _Words, choices: Mapping[str, Sequence[str]], draw: random.Random) -> _Words | None:
    """Replace one of the words that have others they are taken for; "" leaves it out."""
    places = [place for place, word in enumerate(words) if _bare(word).lower() in choices]
    if not places:
        return None
    place = draw.choice(places)
    return _with(words, place, draw.choice(choices[_bare(words[place]).lower()]))


def _with(words: _Words, place: int, other: str) -> _Words:
    """Put another word in a place; the marks around the first stay."""
    bare = _bare(words[place])
    if not other:
        return words[:place] + words[place + 1 :] if words[place] == bare else words
    shown = other[0].upper() + other[1:] if bare[0].isupper() else other
    words[place] = words[place].replace(bare, shown)
    return words


def _bare(word: str) -> str:
    return word.strip(",;:.!?") or word


def _article(words: _Words, draw: random.Random) -> _Words | None:
    return _replaced(words, _ARTICLES, draw)


def _agreement(words: _Words, draw: random.Random) -> _Words | None:
    return _replaced(words, _NUMBER, draw)


def _homophone(words: _Words, draw: random.Random) -> _Words | None:
    return _replaced(words, _HOMOPHONES, draw)


def _preposition(words: _Words, draw: random.Random) -> _Words | None:
    places = [place for place, word in enumerate(words) if word in _PREPOSITIONS]
    if not places:
        return None
    place = draw.choice(places)
    return _with(words, place, draw.choice([each for each in _PREPOSITIONS if each != words[place]]))


def _tense(words: _Words, draw: random.Random) -> _Words | None:
    """Put the base form for a past, or a regular past for an irregular one, such as goed."""
    places = [place for place, word in enumerate(words) if _bare(word) in BASE]
    if not places:
        return None
    place = draw.choice(places)
    past, base = _bare(words[place]), BASE[_bare(words[place])]
    regular = f"{base}d" if base.endswith("e") else f"{base}ed"
    return _with(words, place, base if past == regular or draw.random() < 0.5 else regular)  # noqa: PLR2004


def _order(words: _Words, draw: random.Random) -> _Words | None:
    """Swap two words inside the sentence that stand side by side, without a mark between them."""
    places = [n for n in range(1, len(words) - 2) if words[n].isalpha() and words[n + 1].isalpha()]
    if not places:
        return None
    place = draw.choice(places)
    words[place : place + 2] = words[place + 1], words[place]
    return words


def _missing(words: _Words, draw: random.Random) -> _Words | None:
    places = [place for place, word in enumerate(words) if place and word in _LITTLE]
    if not places:
        return None
    del words[draw.choice(places)]
    return words


def _spelling(words: _Words, draw: random.Random) -> _Words | None:
    """Swap, leave out or double a letter inside a word."""
    places = [
        n for n, word in enumerate(words) if len(_bare(word)) >= _LEAST_LETTERS and _bare(word).isalpha()
    ]
    if not places:
        return None
    place = draw.choice(places)
    word = _bare(words[place])
    at = draw.randrange(1, len(word) - 2)
    first, second = word[at], word[at + 1]
    middle = draw.choice((second + first, second, first + first + second))
    return _with(words, place, word[:at] + middle + word[at + 2 :])


_RULES: tuple[_Rule, ...] = (
    _article,
    _agreement,
    _homophone,
    _preposition,
    _tense,
    _order,
    _missing,
    _spelling,
)
