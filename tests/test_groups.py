"""The suite's own order: what shares something costly runs in one process."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
def test_the_tests_of_a_file_are_one_group(request):
    # Without the group in its name a test goes to any process, and nothing says so.
    assert request.node.nodeid.endswith("@tests/test_groups.py")
