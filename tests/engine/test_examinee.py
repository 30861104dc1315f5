"""A checkpoint under evaluation: how texts become ids, and what its features are."""

import json

import numpy as np
import pytest
import torch

from raylm.api.evaluate import evaluate
from raylm.config import BadInput
from raylm.engine.examinee import Examinee
from tests.every_objective import KINDS, runs_in


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function that gives the trained run of an objective."""
    return runs_in(tmp_path_factory.mktemp("trained"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_context_and_its_text_are_cut_as_one_text(trained, kind):
    examinee = Examinee.of(trained(kind), None)
    for context, text in [
        ("First Citizen: we", " are"),
        ("First Citizen: ", "we are"),
        ("", "we are"),
        ("Spea", "k"),
    ]:
        request = examinee.request(context, text, "x:1")
        whole = [*request.context.tolist(), *request.text.tolist()]
        assert whole == examinee.tokenizer.encode(context + text)
        assert text.strip() in examinee.tokenizer.decode(request.text)
        assert bool(context) or not len(request.context)
    with pytest.raises(BadInput, match=r"x:1.*has no token"):
        examinee.request("we", "", "x:1")


@pytest.mark.parametrize("kind", ["causal", "masked", "span_corruption"])
def test_features_are_means_of_hidden_states_whatever_the_company(trained, kind):
    examinee = Examinee.of(trained(kind), None)
    texts = ["we are", "First Citizen: before we", "k"]
    found = examinee.features(texts)
    before, after = {"causal": ("eos_token_id", None), "masked": ("cls_token_id", "sep_token_id")}.get(
        kind, (None, "eos_token_id")
    )
    tokenizer, model = examinee.tokenizer, examinee.restored.model
    reader = model.get_encoder() if kind == "span_corruption" else model.base_model
    for text, feature in zip(texts, found, strict=True):
        start = [getattr(tokenizer, before)] if before else []
        end = [getattr(tokenizer, after)] if after else []
        ids = [*start, *tokenizer.encode(text), *end]
        with torch.no_grad():
            hidden = reader(input_ids=torch.tensor([ids])).last_hidden_state[0]
        expected = hidden[len(start) : len(ids) - len(end)].mean(0).numpy()
        np.testing.assert_allclose(feature, expected, rtol=1e-4, atol=1e-5)


def test_a_probe_of_a_real_model_is_run(trained, tmp_path):
    rows = [{"text": f"{word} {n}", "label": word} for n in range(30) for word in ("kill", "speak")]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    record = evaluate(trained("masked"), {"kind": "linear_probe", "path": str(tmp_path / "rows.jsonl")})
    assert record["metrics"]["accuracy"] == 1.0  # even random features tell two words apart
    assert record["chance"]["accuracy"] < 1.0
