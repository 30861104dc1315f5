import pytest

from raylm.config import Node, ScalingSection

SMALL, LARGE = Node("small", 2), Node("large", 4)


def problem_of(nodes, reserved_cpus=0, **values):
    return ScalingSection.model_validate(values).placement_problem(nodes, reserved_cpus)


@pytest.mark.parametrize(
    "values", [{"num_workers": 6}, {"num_workers": 1, "cpus_per_worker": 4}, {"num_workers": 0}]
)
def test_workers_that_fit_are_no_problem(values):
    assert problem_of([SMALL, LARGE], **values) is None


def test_too_many_workers_name_what_is_asked_what_is_there_and_what_fits():
    problem = problem_of([SMALL], num_workers=8)
    assert str(problem) == (
        "scaling.num_workers: 8 workers x 1 CPU asked, the cluster has 2 CPUs on 1 node "
        "(largest: small with 2 CPUs); use 2"
    )


def test_workers_that_fit_in_sum_but_on_no_node_name_the_largest_node():
    problem = problem_of([SMALL, SMALL], num_workers=1, cpus_per_worker=4)
    assert problem.field == "scaling.cpus_per_worker"
    assert "4 CPUs on 2 nodes (largest: small with 2 CPUs)" in problem.message


def test_a_gpu_on_a_cluster_without_one_says_so():
    assert "the cluster has no GPU; use scaling.gpus_per_worker=0" in str(
        problem_of([LARGE], gpus_per_worker=1)
    )


def test_gpus_limit_the_workers_of_a_node():
    assert "use 2" in str(problem_of([Node("gpus", 16, gpus=2)], num_workers=4, gpus_per_worker=1))


def test_workers_that_leave_no_cpu_for_data_say_so():
    assert "keep 1 CPU for data" in str(problem_of([SMALL], reserved_cpus=1, num_workers=2))


def test_an_empty_cluster_is_named():
    assert "no node" in str(problem_of([], num_workers=1))
