import gzip
from pathlib import Path

import pytest

from raylm.data.sources.text import Text

EXAMPLES = Path(__file__).parents[3] / "examples" / "data"


@pytest.fixture(scope="session")
def source():
    """A source for filters that ask which one they judge."""
    return Text(path="corpus.txt", name="corpus", licence="MIT")


@pytest.fixture(scope="session")
def shakespeare() -> str:
    """A megabyte of a play, in speeches parted by blank lines."""
    packed = EXAMPLES / "tinyshakespeare" / "input.txt.gz"
    return gzip.decompress(packed.read_bytes()).decode()


@pytest.fixture(scope="session")
def prose() -> str:
    """A page of clean English prose in which every line ends a sentence."""
    return (
        "The first place that I can well remember was a large pleasant meadow with a pond of clear water in "
        "it. Some shady trees leaned over it, and rushes and water-lilies grew at the deep end.\n\n"
        "Over the hedge on one side we looked into a plowed field, and on the other we looked over a gate at "
        "our master's house, which stood by the roadside. While I was young I lived upon my mother's milk, "
        "as I could not eat grass. In the daytime I ran by her side, and at night I lay down close by "
        "her.\n\n"
        "When it was hot we used to stand by the pond in the shade of the trees, and when it was cold we "
        "had a nice warm shed near the grove."
    )
