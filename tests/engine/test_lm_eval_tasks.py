"""The same model through lm-evaluation-harness, on task files made here."""

import json

import pytest

from raylm.api.evaluate import evaluate
from raylm.cli import main
from raylm.config import BadInput
from raylm.engine.examinee import Examinee
from tests.every_objective import runs_in
from tests.tiny import CORPUS


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function that gives the trained run of an objective."""
    return runs_in(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def folder(tmp_path):
    """Return a folder with forty questions and the harness's file for them."""
    lines = [line for line in CORPUS.read_text().splitlines() if len(line) > 30][:40]
    rows = [
        {
            "goal": line[:12].rstrip(),
            "sol1": line[12:28].strip(),
            "sol2": lines[-n - 1][-9:].strip(),
            "label": n % 2,
        }
        for n, line in enumerate(lines)
    ]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "tiny_choice.yaml").write_text(
        f"""task: tiny_choice
dataset_path: json
dataset_kwargs:
  data_files: {{test: {data}}}
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{{{goal}}}}\\nAnswer:"
doc_to_choice: "{{{{[sol1, sol2]}}}}"
doc_to_target: label
metric_list:
  - metric: acc
  - metric: acc_bytes
"""
    )
    return tmp_path


@pytest.mark.parametrize("kind", ["causal", "masked"])
def test_lm_eval_finds_the_same_accuracies(capsys, trained, folder, kind):
    run = trained(kind)
    tasks = ["--lm-eval", "tiny_choice", "--include-path", str(folder), "--json"]
    with pytest.raises(SystemExit) as end:
        main(["evaluate", run.run_id, "--storage", run.storage, *tasks])
    out, err = capsys.readouterr()
    assert not end.value.code, err
    theirs = json.loads(out)
    ours = evaluate(
        run,
        {
            "kind": "multiple_choice",
            "path": str(folder / "rows.jsonl"),
            "context": "Question: {goal}\nAnswer:",
            "choice_fields": ["sol1", "sol2"],
        },
        force=True,
    )
    assert theirs["metrics"]["tiny_choice/acc"] == ours["metrics"]["accuracy"]
    assert theirs["metrics"]["tiny_choice/acc_bytes"] == ours["metrics"]["accuracy_per_byte"]
    assert 0.1 < ours["metrics"]["accuracy"] < 0.9  # neither a model of one answer nor of none
    assert theirs["intervals"]["tiny_choice/acc"] == ours["intervals"]["accuracy"]
    assert theirs["counts"]["tiny_choice/num_rows"] == 40
    assert list(theirs["data"]) == [str(folder / "tiny_choice.yaml")]


def test_lm_eval_measures_and_continues_texts(trained):
    from lm_eval.api.instance import Instance

    from raylm.engine.lm_eval_tasks import HarnessModel

    def asked(kind, *arguments):
        return [Instance(kind, {}, arguments, 0, ("task", 0, 1))]

    examinee = Examinee.of(trained("causal"), None)
    text = CORPUS.read_text()[:200]
    [rolling] = HarnessModel(examinee).loglikelihood_rolling(asked("loglikelihood_rolling", text))
    assert rolling == pytest.approx(examinee.scores([examinee.request("", text, "")])[0].log_probability)
    options = {"until": [], "max_gen_toks": 30}
    [whole] = HarnessModel(examinee).generate_until(asked("generate_until", "First Citizen", options))
    assert len(whole) == 30  # a token a character
    cut = {**options, "until": ["\0", whole[10]]}
    [written] = HarnessModel(examinee).generate_until(asked("generate_until", "First Citizen", cut))
    assert written == whole.partition(whole[10])[0]
    masked = HarnessModel(Examinee.of(trained("masked"), None))
    with pytest.raises(BadInput, match="does not continue a prompt"):
        masked.generate_until(asked("generate_until", "First", options))
