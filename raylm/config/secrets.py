"""Secrets never enter a recipe, and an error never repeats one."""

import re
from typing import Any

_LONGEST_SHOWN = 60  # characters of a value that an error repeats

# The published prefixes of Hugging Face, OpenAI/Anthropic, AWS, GitHub, GitLab, Slack and Google tokens,
# PEM keys, and the bare 40 hexadecimal digits of a Weights & Biases key.
_SECRET = re.compile(
    r"\bhf_[A-Za-z0-9_]{8,}|\bsk-[A-Za-z0-9_-]{8,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bgh[pousr]_[A-Za-z0-9]{16,}"
    r"|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{8,}|\bAIza[\w-]{30,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|^[0-9a-f]{40}$"
)


def is_secret(text: str) -> bool:
    """Whether a text looks like a token or a private key."""
    return _SECRET.search(text) is not None


def shown(value: Any) -> str:
    """Return a value as an error may repeat it: short, printable, and `***` where it looks like a secret."""
    text = str(value).lower() if isinstance(value, bool) or value is None else str(value)
    if is_secret(text):
        return "***"
    text = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."
    return repr(text) if isinstance(value, str) else _printable(text)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
