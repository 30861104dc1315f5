"""Questions about passages of the books, made by rule; every answer stands in its passage word for word."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from bench.samples.books import Chapter, is_narrative, sentences
from bench.samples.verbs import BASE, MOTION, NO_OBJECT

_WORDS = (60, 150)
"""The fewest words of a passage, and the most."""
_PER_PASSAGE = 4
_TEST_CHAPTER = 5  # one in so many is for testing

_TITLES = ("The", "the", "Mr.", "Mrs.", "Miss", "Madame", "Aunt", "Uncle", "Lady", "Sir", "Colonel", "Dr.")
_NAME = rf"(?:(?:{'|'.join(map(re.escape, _TITLES))}) )?[A-Z][a-z]+(?: [A-Z][a-z]+)?"
_WHO = rf"(?P<who>{_NAME}|He|She|They|he|she|they)"
_SAID = "said|cried|asked|replied|answered|exclaimed|returned|remarked|observed|whispered|shouted|thought"
_SPEAKER = rf",? (?:{_SAID}) (?P<answer>(?P<who>{_NAME}))(?=[\s,.;:!?])"
_QUOTED = (
    rf'(?:^|[\s(])"(?P<quote>[^"]{{12,160}})"{_SPEAKER}',
    rf"(?:^|[\s(])'(?P<quote>(?:[^'\"]|(?<=\w)'(?=\w)){{12,160}})'{_SPEAKER}",
)
_VERB = "|".join(sorted(BASE))
_TAKES_THING = "|".join(sorted(past for past, base in BASE.items() if base not in NO_OBJECT))
_MOVED = "|".join(sorted(past for past, base in BASE.items() if base in MOTION))
_PLACE = "in|on|at|under|behind|beside|near|into|upon|across|over|through|outside|against|towards|to|down|up"
_NOUN = r"(?![a-z]+ly\b|moment|minute|while|time|instant|same|other|own|last|first|little|great)[a-z-]{2,}"
_DET = "(?:the|a|an|his|her|their|its|my|some)"
_THING = rf"{_DET} (?:(?!(?:very|a|an|the) )[a-z-]+ )?{_NOUN}(?: of (?:{_DET} )?{_NOUN})?"
_STOP = r"(?=[,.;:!?]|--|,? (?:and|to|with|in|on|from|at|for|when|where|as|that|which|but)\b)"
_REST = r"[a-z][a-z' -]{8,70}?(?=[,.;:!]|--| and )"
_TIME = (
    r"(?:In the|The next|One|At|During the|On the|That|Early in the|Late in the|Every|All that|The same)"
    r"(?: [a-z-]+){0,3}? (?:morning|evening|night|day|afternoon|noon|midnight|week|time|summer|winter|spring"
    r"|dinner|breakfast|moment|instant)"
)
_NUMBERS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty"

_NO_NAMES = """
A After Again All An And Another As At Away Back Before Both But By Down Each Even Every For From Here
How However I If In It Its Just Let Many Meanwhile Most My Never No Nobody Not Nothing Now O Of Off Oh
On Once One Only Or Our Out Over Perhaps Presently So Some Soon Still Such That The Then There These
This Those Thus To Two Up Upon We Well What When Whenever Where Which While Why With Yes Yet You Your
"""
_PRONOUNS = frozenset({"He", "She", "They", "he", "she", "they"})
_FEWEST_MENTIONS = 3


class Question(NamedTuple):
    """What is asked of a passage, and where its answer stands."""

    text: str
    answer: str
    start: int
    who: str = ""
    """Whom it is about, if anybody."""


def squad(chapters: Sequence[Chapter], *, is_test: bool) -> dict[str, Any]:
    """Return questions about one in five chapters, or about the others, in SQuAD's form."""
    names, articles = _names(chapters), []
    for number, chapter in enumerate(chapters):
        if (number % _TEST_CHAPTER == _TEST_CHAPTER - 1) != is_test:
            continue
        asked = [(each, questions(each, names)) for each in passages(chapter.paragraphs)]
        paragraphs = [
            {"context": passage, "qas": [_qa(each, f"{number}-{place}-{n}") for n, each in enumerate(found)]}
            for place, (passage, found) in enumerate(asked)
            if found
        ]
        if paragraphs:
            articles.append({"title": f"{chapter.book}: {chapter.title}", "paragraphs": paragraphs})
    return {"version": "1.1", "data": articles}


def _qa(question: Question, key: str) -> dict[str, Any]:
    answer = {"text": question.answer, "answer_start": question.start}
    return {"id": key, "question": question.text, "answers": [answer]}


def passages(paragraphs: Iterable[str]) -> Iterator[str]:
    """Yield runs of whole sentences of 60 to 150 words; what is left over at the end is dropped."""
    least, most = _WORDS
    held: list[str] = []
    size = 0
    for sentence in (sentence for paragraph in paragraphs for sentence in sentences(paragraph)):
        count = len(sentence.split())
        if size + count > most:
            if size >= least:
                yield " ".join(held)
            held, size = [], 0
        if count <= most:
            held.append(sentence)
            size += count
    if size >= least:
        yield " ".join(held)


def _names(chapters: Sequence[Chapter]) -> frozenset[str]:
    """Return the words that are written large inside sentences, too."""
    texts = (paragraph for chapter in chapters for paragraph in chapter.paragraphs)
    counts = Counter(name for text in texts for name in re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", text))
    return frozenset(name for name, count in counts.items() if count >= _FEWEST_MENTIONS).difference(
        _NO_NAMES.split()
    )


def questions(passage: str, names: frozenset[str]) -> list[Question]:
    """Return what the rules ask of a passage: at most four questions, of one who said something only one."""
    found = [[each for each in rule(passage) if _is_known(each.who, names)] for rule in _RULES]
    in_turn = [each[n] for n in range(_PER_PASSAGE) for each in found if n < len(each)]
    said = [each for each in _who_said(passage) if _is_known(each.who, names)][:1]
    asked = {each.text: each for each in (*in_turn, *said)}
    answers = {each.start: each for each in reversed(asked.values())}  # one answer is asked for once
    return sorted(answers.values(), key=lambda each: each.start)[:_PER_PASSAGE]


def _who_said(passage: str) -> Iterator[Question]:
    for pattern in _QUOTED:
        for found in re.finditer(pattern, passage):
            quote = found["quote"].rstrip(",")
            if passage.count(quote) == 1:
                yield _asked_of(f'Who said "{quote}"?', found)


def _who_did(passage: str) -> Iterator[Question]:
    pattern = rf"(?P<answer>(?P<who>{_NAME})) (?P<rest>(?:{_VERB}) {_REST})"
    for found in _in_sentences(pattern, passage):
        if passage.count(found["rest"]) == 1 and found["who"] not in _PRONOUNS:
            yield _asked_of(f"Who {found['rest'].strip()}?", found)


def _whose(passage: str) -> Iterator[Question]:
    pattern = rf"(?P<answer>(?P<who>{_NAME}))'s (?P<rest>{_NOUN} (?:was|were|had|{_VERB}) {_REST})"
    for found in _in_sentences(pattern, passage):
        yield _asked_of(f"Whose {found['rest'].strip()}?", found)


def _did_what(passage: str) -> Iterator[Question]:
    pattern = rf"{_WHO} (?P<verb>{_TAKES_THING}) (?P<answer>{_THING}){_STOP}"
    for found in _in_sentences(pattern, passage):
        if _is_once(found, passage):
            yield _asked_of(f"What did {_inside(found['who'])} {BASE[found['verb']]}?", found)


def _where(passage: str) -> Iterator[Question]:
    pattern = rf"{_WHO} (?P<verb>{_MOVED}) (?:[a-z]+ )?(?P<answer>(?:{_PLACE}) {_THING}){_STOP}"
    for found in _in_sentences(pattern, passage):
        if _is_once(found, passage):
            yield _asked_of(f"Where did {_inside(found['who'])} {BASE[found['verb']]}?", found)


def _when(passage: str) -> Iterator[Question]:
    pattern = rf"(?P<answer>{_TIME}),? (?P<clause>{_WHO} (?:was|were|had|{_VERB}) {_REST})"
    for found in _in_sentences(pattern, passage):
        yield _asked_of(f"When was it that {_inside(found['clause'].strip())}?", found)


def _how_many(passage: str) -> Iterator[Question]:
    pattern = rf"\b(?P<answer>{_NUMBERS}) (?P<what>(?:[a-z]{{3,}} )?[a-z]{{2,}}[^s\W]s)\b"
    for found in re.finditer(pattern, passage):
        if len(re.findall(rf"\b{found['what']}\b", passage)) == 1:
            yield _asked_of(f"How many {found['what']} does the passage speak of?", found)


_Rule: TypeAlias = Callable[[str], Iterator[Question]]
_RULES: tuple[_Rule, ...] = (_when, _where, _did_what, _how_many, _whose, _who_did)


def _is_once(found: re.Match[str], passage: str) -> bool:
    """Whether somebody does something only once in a passage, so that the question has one answer."""
    deed = f"{found['who']} {found['verb']} ".lower()
    return passage.lower().count(deed) == 1


def _in_sentences(pattern: str, passage: str) -> Iterator[re.Match[str]]:
    """Yield what fits at the beginning of a sentence in which nobody speaks."""
    at = 0
    for sentence in sentences(passage):
        at = passage.index(sentence, at)
        if is_narrative(sentence):
            found = re.compile(pattern).match(passage, at, at + len(sentence))
            if found:
                yield found


def _asked_of(text: str, found: re.Match[str]) -> Question:
    return Question(text, found["answer"], found.start("answer"), found.groupdict().get("who") or "")


def _is_known(who: str, names: frozenset[str]) -> bool:
    """Whether somebody's name, without a title, is made of names."""
    words = who.split()
    words = words[1:] if words and words[0] in _TITLES else words
    return who in {"", *_PRONOUNS} or bool(words and names.issuperset(words))


def _inside(text: str) -> str:
    """Return what begins with a name as it stands inside a sentence."""
    is_small = text.partition(" ")[0] in {"The", *_PRONOUNS}
    return text[0].lower() + text[1:] if is_small else text
