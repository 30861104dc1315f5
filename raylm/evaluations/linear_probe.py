"""Linear probe: what a linear classifier makes of the frozen model's features (Alain and Bengio 2016)."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from raylm.config.errors import BadInput
from raylm.config.sections import knob
from raylm.data.field_rows import FieldRow, field_rows
from raylm.evaluations import Evaluation, Examinee, Result, Share, sampled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # inverse regularization; the one that is best on the validation part
_FEWEST = 10  # rows, so that each part has one


class _Parts(NamedTuple):
    """Row numbers: 80 %, 10 %, 10 %."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


class LinearProbe(Evaluation):
    """Texts with labels; a logistic regression on the model's last hidden states, averaged over the tokens.

    Of a text that is longer than the model's window its beginning is read.
    """

    kind: Literal["linear_probe"] = "linear_probe"
    text_field: str = "text"
    """The field of the text."""
    label_field: str = "label"
    """The field of the label; in text files, which have none, the file's name is the label of its lines."""
    seed: int = knob(0, ge=0, lt=2**32)
    """Which rows train the classifier, and which test it."""

    def run(self, examinee: Examinee) -> Result:
        regression = _sklearn()
        rows = sampled(field_rows(self), self.limit)
        labels = [self._label(row) for row in rows]
        self._check(labels)
        features = examinee.features([row.text(self.text_field, "text_field") for row in rows])
        return _fitted(regression, features, labels, self._parts(len(rows)))

    def _label(self, row: FieldRow) -> str:
        is_line = self.label_field not in row.values and list(row.values) == ["text"]
        label = row.file if is_line else row.value(self.label_field, "label_field")
        if isinstance(label, dict | list) or label is None:
            raise row.bad("label_field", f"{self.label_field}: want a name or a number")
        return str(label)

    def _check(self, labels: list[str]) -> None:
        found = sorted(set(labels))
        if len(found) < 2 or len(labels) < _FEWEST:  # noqa: PLR2004 - nothing to tell apart
            message = f"{len(labels)} rows with {len(found)} label(s)"
            mend = f"give {_FEWEST} rows or more, of two labels or more"
            raise BadInput.one("path", message, mend, code="labels")

    def _parts(self, num_rows: int) -> _Parts:
        import numpy as np

        order = np.random.default_rng(self.seed).permutation(num_rows)
        part = max(1, num_rows // 10)
        return _Parts(order[2 * part :], order[part : 2 * part], order[:part])


def _fitted(regression: Any, features: NDArray[np.float32], labels: list[str], parts: _Parts) -> Result:
    import numpy as np

    named = np.array(labels)
    tried = {
        strength: regression(strength, features[parts.train], named[parts.train]) for strength in _STRENGTHS
    }
    on_validation = {
        strength: Share.of(model.predict(features[parts.validation]) == named[parts.validation])
        for strength, model in tried.items()
    }
    best = max(_STRENGTHS, key=lambda strength: on_validation[strength].value)
    majority = Counter(named[parts.train].tolist()).most_common(1)[0][0]
    baseline = Share.of(named[parts.test] == majority)
    hits = tried[best].predict(features[parts.test]) == named[parts.test]
    by_label = {name: Share.of(hits[named[parts.test] == name]).to_json() for name in sorted(set(labels))}
    return Result(
        metrics={
            "accuracy": Share.of(hits, chance=baseline.value),
            "majority_accuracy": baseline,
            "validation_accuracy": on_validation[best],
            "inverse_regularization": best,
        },
        counts={
            **{f"num_{name}": len(part) for name, part in parts._asdict().items()},
            "num_labels": len(by_label),
        },
        breakdown=by_label,
        notes=("chance is the share of the training rows' commonest label among the test rows",),
    )


def _sklearn() -> Any:
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        mend = "pip install 'raylm[evaluate]'"
        raise BadInput.one("task", "scikit-learn is not installed", mend, code="missing_package") from None

    def regression(strength: float, features: NDArray[np.float32], labels: NDArray[np.str_]) -> Any:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ConvergenceWarning
            )  # a fit that stops short is one more of those tried
            return model.fit(features, labels)

    return regression
