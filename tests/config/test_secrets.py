import pytest

from raylm.config.secrets import is_secret, shown

SECRETS = [
    "hf_abcdefghijklmnop",
    "sk-abcdefghijklmnop",
    "AKIAABCDEFGHIJKLMNOP",
    "ghp_abcdefghijklmnopqrst",
    "0123456789abcdef0123456789abcdef01234567",
    "https://user:hf_abcdefghijklmnop@host/x",
    "-----BEGIN RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_seen_and_never_shown(text):
    assert is_secret(text)
    assert shown(text) == "***"


@pytest.mark.parametrize("text", ["half_day", "task-abcdefghij", "shakespeare-char", "env:HF_TOKEN", "1e-4"])
def test_ordinary_words_are_no_secrets(text):
    assert not is_secret(text)


def test_a_long_value_is_cut():
    assert len(shown("x" * 10_000)) < 80
