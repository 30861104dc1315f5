"""Names of classes and numbers: sums over rows give what scikit-learn gives."""

import numpy as np
import pytest
from sklearn import metrics as sklearn

from raylm.metrics.classes import multi_label, regression, single_label

NAMES = ["a", "b", "c", "d"]
RNG = np.random.default_rng(0)


def figures_of(judged, rows=slice(None)):
    return judged.metrics(judged.stats[rows].sum(axis=0))


def random_labels(count, seed):
    return [str(each) for each in np.random.default_rng(seed).choice(NAMES, count)]


def test_single_label_metrics_are_those_of_scikit_learn():
    right = random_labels(200, 0)
    said = [a if RNG.random() < 0.6 else b for a, b in zip(right, random_labels(200, 1), strict=True)]
    found = figures_of(single_label(right, said))
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(right, said), abs=1e-12)
    assert found["macro_f1"] == pytest.approx(sklearn.f1_score(right, said, average="macro"), abs=1e-12)
    assert found["matthews_correlation"] == pytest.approx(sklearn.matthews_corrcoef(right, said), abs=1e-12)
    each = sklearn.f1_score(right, said, average=None, labels=NAMES)
    assert [found[f"f1/{name}"] for name in NAMES] == pytest.approx(each, abs=1e-12)
    assert list(found)[:2] == ["accuracy", "macro_f1"]


def test_some_rows_give_what_scikit_learn_gives_for_them():
    right, said = ["a", "a", "b", "c", "c"], ["a", "b", "b", "c", "a"]
    found = figures_of(single_label(right, said), slice(3))  # no row has c, no answer names it
    assert found["macro_f1"] == pytest.approx(
        sklearn.f1_score(right[:3], said[:3], average="macro"), abs=1e-12
    )
    assert found["matthews_correlation"] == pytest.approx(
        sklearn.matthews_corrcoef(right[:3], said[:3]), abs=1e-12
    )


def test_a_class_that_only_answers_name_is_wrong_and_no_class_of_its_own():
    right, said = ["a", "b", "b"], ["a", "x", "b"]
    judged = single_label(right, said)
    found = figures_of(judged)
    assert found["macro_f1"] == pytest.approx(
        sklearn.f1_score(right, said, average="macro", labels=["a", "b"]), abs=1e-12
    )
    assert found["matthews_correlation"] == pytest.approx(sklearn.matthews_corrcoef(right, said), abs=1e-12)
    assert judged.stats.shape == single_label(right, right).stats.shape
    assert judged.quality.tolist() == [1, 0, 1]


def test_one_class_everywhere_has_no_correlation():
    assert figures_of(single_label(["a", "a"], ["a", "a"]))["matthews_correlation"] == 0


def test_multi_label_metrics_are_those_of_scikit_learn():
    from sklearn.preprocessing import MultiLabelBinarizer

    rng = np.random.default_rng(3)
    draw = [[name for name in NAMES if rng.random() < 0.4] for _ in range(200)]
    right, said = draw[:100], draw[100:]
    table = MultiLabelBinarizer(classes=NAMES)
    x, y = table.fit_transform(right), table.fit_transform(said)
    found = figures_of(multi_label(right, said))
    assert next(iter(found)) == "micro_f1"
    assert found["micro_f1"] == pytest.approx(sklearn.f1_score(x, y, average="micro"), abs=1e-12)
    assert found["macro_f1"] == pytest.approx(sklearn.f1_score(x, y, average="macro"), abs=1e-12)
    assert found["subset_accuracy"] == pytest.approx(sklearn.accuracy_score(x, y), abs=1e-12)
    each = sklearn.f1_score(x, y, average=None)
    assert [found[f"f1/{name}"] for name in NAMES] == pytest.approx(each, abs=1e-12)


def test_a_name_that_no_row_has_lowers_micro_f1():
    judged = multi_label([["a"], []], [["a", "x"], []])
    assert figures_of(judged)["micro_f1"] == pytest.approx(2 / 3)
    assert judged.quality.tolist() == pytest.approx([2 / 3, 1.0])


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_regression_metrics_are_those_of_numpy_and_scikit_learn(offset):
    rng = np.random.default_rng(4)
    right = rng.normal(size=100) + offset
    said = right + rng.normal(size=100)
    judged = regression(right.tolist(), said.tolist())
    found = figures_of(judged)
    assert next(iter(found)) == "pearson"
    assert found["pearson"] == pytest.approx(np.corrcoef(right, said)[0, 1], abs=1e-9)
    assert found["rmse"] == pytest.approx(sklearn.root_mean_squared_error(right, said), rel=1e-9)
    assert found["mae"] == pytest.approx(sklearn.mean_absolute_error(right, said), rel=1e-9)
    part = figures_of(judged, slice(20))
    assert part["pearson"] == pytest.approx(np.corrcoef(right[:20], said[:20])[0, 1], abs=1e-9)
    assert judged.quality.argmin() == np.abs(right - said).argmax()


def test_a_constant_answer_has_no_correlation():
    assert figures_of(regression([1.0, 2.0, 3.0], [0.1, 0.1, 0.1]))["pearson"] == 0
    judged = regression([1.0, 2.0, 3.0, 7.0], [0.3, 0.3, 0.3, 5.0])
    assert figures_of(judged, slice(3))["pearson"] == 0
    assert figures_of(judged, slice(1))["pearson"] == 0
