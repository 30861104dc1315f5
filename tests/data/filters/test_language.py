import pytest
from pydantic import ValidationError

from raylm.data.filters.language import Language
from raylm.data.language import UNKNOWN, identify

SENTENCES = {
    "en": "In the beginning there was a long walk along the river, and nobody knew the way.",
    "de": "Maria sagte, sie wisse nicht, wo Tom den Schlüssel hingelegt habe.",
    "fr": "Au commencement, personne ne savait où se trouvait la petite maison.",
    "es": "El niño no sabía dónde estaba la casa de su abuela.",
    "ru": "Привет, сегодня очень хорошая погода, пойдём гулять.",
    "zh": "今天天气很好，我们一起去公园散步吧。",  # noqa: RUF001
    "he": "שלום עולם, היום יום יפה מאוד",
    "ar": "مرحبا بالعالم، الطقس جميل اليوم",
    "hi": "आज मौसम बहुत अच्छा है, चलो बाहर चलते हैं।",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_told_by_its_language(language):
    guess = identify(SENTENCES[language])

    assert guess.language == language
    assert guess.confidence > 0.5


@pytest.mark.parametrize("text", ["", "12 345", "🙂🙂", "...", "\n\n"])
def test_a_text_without_words_has_no_language(text):
    assert identify(text) == (UNKNOWN, 0.0)


def test_without_keep_languages_are_counted_and_all_stay(source):
    judge = Language().judge(source)

    for language, text in SENTENCES.items():
        assert judge(text)._replace(detail="") == (text, "", "", "", {language: 1})
    assert judge("12 345").found == {UNKNOWN: 1}


def test_other_languages_are_dropped_and_named(source):
    judge = Language(keep=["en", "de"]).judge(source)

    assert [language for language, text in SENTENCES.items() if judge(text).text] == ["en", "de"]
    dropped = judge(SENTENCES["fr"])
    assert (dropped.reason, dropped.found) == ("language_fr", {"fr": 1})
    assert dropped.detail.startswith("fr with confidence")


def test_unknown_stays_only_when_it_is_kept(source):
    assert Language(keep=["en"]).judge(source)("12 345").reason == "language_unknown"
    assert Language(keep=["en", "unknown"]).judge(source)("12 345").text == "12 345"
    assert Language(keep=["en"], min_confidence=1).judge(source)(SENTENCES["en"]).reason == "language_unknown"


def test_a_long_text_is_judged_by_places_all_over_it(source):
    text = SENTENCES["en"] * 30 + SENTENCES["de"] * 300

    assert Language().judge(source)(text).found == {"de": 1}


def test_a_word_that_is_no_code_is_refused():
    with pytest.raises(ValidationError, match="'english' is no ISO 639 code"):
        Language(keep=["english"])
