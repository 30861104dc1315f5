"""A vocabulary of 60 ids for tests: every special token, sentinels, and 48 pieces of words."""

import numpy as np

from raylm.config.vocabulary import Vocabulary

PAD, UNK, CLS, SEP, MASK, EOS = range(6)
SENTINELS = tuple(range(6, 12))
FIRST_TEXT, SIZE = 12, 60
# Odd ids go on a word that another piece began.
GOES_ON = (np.arange(SIZE) % 2 == 1) & (np.arange(SIZE) >= FIRST_TEXT)

VOCABULARY = Vocabulary(
    SIZE,
    eos_token_id=EOS,
    pad_token_id=PAD,
    bos_token_id=EOS,
    mask_token_id=MASK,
    cls_token_id=CLS,
    sep_token_id=SEP,
    unk_token_id=UNK,
    sentinel_ids=SENTINELS,
    special_ids=tuple(range(FIRST_TEXT)),
    joins_left=GOES_ON,
    joins_right=np.arange(SIZE) >= FIRST_TEXT,
)


def text(num_tokens: int, seed: int = 0) -> np.ndarray:
    """Return random text ids."""
    return np.random.default_rng(seed).integers(FIRST_TEXT, SIZE, num_tokens)
