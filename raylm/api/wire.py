"""Answers as JSON, the same to a browser that asks a server and to one that asks a kernel."""

import json
from typing import Any


def encode(answer: dict[str, Any]) -> bytes:
    """Return the answer as one line of JSON; one that JSON cannot hold becomes a refusal that says so."""
    try:
        text = json.dumps(answer, allow_nan=False)
    except (TypeError, ValueError) as error:
        text = json.dumps(unsayable(error))
    return text.encode()


def unsayable(error: Exception) -> dict[str, Any]:
    """Return the refusal that stands for an answer which JSON cannot hold."""
    return refusal(f"The answer cannot be sent: {error}")


def refusal(message: str, mend: str = "") -> dict[str, Any]:
    """Return an answer in the form in which the store refuses."""
    return {"error": {"message": message, "mend": mend, "field": "", "problems": []}}
