"""A model that is nothing but a table: so many nats for each word, features by the words a text has."""

from dataclasses import dataclass, field

import numpy as np

from raylm.config import BadInput
from raylm.evaluations import Request, Score


@dataclass
class Judge:
    """Answers what an evaluation asks; its ids are characters."""

    nats: dict[str, float] = field(default_factory=dict)
    scores_in_order: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    strides: list[int | None] = field(default_factory=list)

    def request(self, context, text, place):
        if not text:
            raise BadInput.one("path", "'' has no token", "", place)
        return Request(np.array([ord(sign) for sign in context]), np.array([ord(sign) for sign in text]))

    def num_unknown(self, request):
        return int((request.text == ord("?")).sum())

    def scores(self, requests, stride=None):
        self.strides.append(stride)
        return [self._score(*("".join(map(chr, ids)) for ids in each)) for each in requests]

    def _score(self, context, text):
        self.asked.append((context, text))
        nats = sum(self.nats.get(word, 1.0) for word in text.split())
        return Score(-nats, len(text), nats < 0.5)

    def features(self, texts):
        return np.array(
            [[text.count("good"), text.count("bad"), len(text) % 7] for text in texts], np.float32
        )
