"""Which tokens of a task's row stay where a sequence is shorter."""

import numpy as np
import pytest

from raylm.kernels.frame import Frame
from raylm.kernels.task_rows import kept_places
from tests.objectives.vocabulary import CLS, EOS, SEP, UNK, VOCABULARY, text

LENGTH = 12


def kept(*parts, length=LENGTH):
    row = np.concatenate([[part] if isinstance(part, int) else part for part in parts])
    return row[kept_places(row, Frame(length, 0, VOCABULARY))].tolist()


def test_a_text_that_ends_in_more_unknown_characters_than_fit_is_cut():
    assert kept(CLS, text(4), [UNK] * 20, SEP) == [CLS, *text(4), *[UNK] * 6, SEP]


def test_a_text_of_nothing_but_unknown_characters_keeps_what_closes_it():
    assert kept(CLS, [UNK] * 30, SEP) == [CLS, *[UNK] * 10, SEP]
    assert kept([UNK] * 30, EOS) == [*[UNK] * 11, EOS]


@pytest.mark.parametrize(
    ("opens", "parts", "closes"),
    [([CLS], [SEP], [SEP]), ([CLS], [SEP, SEP], [SEP]), ([], [SEP], [SEP, CLS]), ([], [EOS], [EOS])],
    ids=["bert", "roberta", "xlnet", "t5"],
)
@pytest.mark.parametrize(("num_first", "num_second"), [(30, 3), (3, 30), (30, 30)])
def test_of_two_texts_the_longer_is_cut(opens, parts, closes, num_first, num_second):
    first, second = text(num_first), text(num_second, seed=1)
    room = LENGTH - len(opens) - len(parts) - len(closes)
    short = min(3, num_first, num_second) if num_first != num_second else room // 2
    num_kept = (room - short, short) if num_second <= num_first else (short, room - short)
    found = kept(opens, first, parts, second, closes)
    assert found == [*opens, *first[: num_kept[0]], *parts, *second[: num_kept[1]], *closes]


def test_a_row_never_outgrows_a_sequence_that_its_special_tokens_alone_fill():
    assert len(kept(CLS, text(3), SEP, SEP, text(3), SEP, length=3)) == 3
