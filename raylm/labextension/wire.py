"""Answers as JSON texts, the same from the server's process and from an answerer's."""

import json
from typing import Any


def encode(answer: dict[str, Any]) -> bytes:
    """Return the answer as one line of JSON; one that JSON cannot hold becomes a refusal that says so."""
    try:
        text = json.dumps(answer, allow_nan=False)
    except (TypeError, ValueError) as error:
        text = json.dumps(refusal(f"The answer cannot be sent: {error}"))
    return text.encode()


def refusal(message: str, mend: str = "") -> dict[str, Any]:
    """Return an answer in the form in which the store refuses."""
    return {"error": {"message": message, "mend": mend, "field": "", "problems": []}}
