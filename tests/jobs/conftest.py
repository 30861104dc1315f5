from collections.abc import Callable, Iterator

import pytest

from tests.dashboards import FakeDashboard


@pytest.fixture
def make_dashboard() -> Iterator[Callable[[], FakeDashboard]]:
    made = []

    def make():
        made.append(FakeDashboard())
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def dashboard(make_dashboard) -> FakeDashboard:
    return make_dashboard()
