"""The templates for Kubernetes and Slurm: they parse, they are closed, and they run a recipe that loads."""

import os
import re
import shlex
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from raylm.cli import build_app
from raylm.recipe import Recipe

ROOT = Path(__file__).parent.parent
SLURM = ROOT / "cluster/slurm.sbatch"
IMAGE_HOME = "/opt/raylm/"


@pytest.fixture(scope="module")
def documents():
    return {
        each["kind"]: each for each in yaml.safe_load_all((ROOT / "cluster/kuberay-rayjob.yaml").read_text())
    }


@pytest.fixture(scope="module")
def job(documents):
    return documents["RayJob"]["spec"]


def containers(job):
    cluster = job["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    templates = [job["submitterPodTemplate"], *[group["template"] for group in groups]]
    return [container for template in templates for container in template["spec"]["containers"]]


def trained(command):
    """Return the recipe file and overrides of a `raylm train` command line."""
    words = shlex.split(command)
    assert words[:2] == ["raylm", "train"]
    assert "train" in {each.name or each.callback.__name__ for each in build_app().registered_commands}
    return words[2], [word for word in words[3:] if "=" in word]


def test_the_rayjob_trains_a_recipe_that_the_image_holds_and_that_loads(job):
    path, overrides = trained(job["entrypoint"])
    assert path.startswith(IMAGE_HOME)
    recipe = Recipe.load(ROOT / path.removeprefix(IMAGE_HOME), overrides)
    dockerfile = (ROOT / "cluster/Dockerfile").read_text()
    assert f"WORKDIR {IMAGE_HOME.rstrip('/')}\n" in dockerfile
    assert "COPY examples examples\n" in dockerfile
    (group,) = job["rayClusterSpec"]["workerGroupSpecs"]
    cpus = int(group["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"])
    assert recipe.scaling.num_workers * recipe.scaling.cpus_per_worker <= group["replicas"] * cpus


def test_the_image_holds_all_that_the_package_is_built_of_before_it_is_installed():
    before, install, _ = (ROOT / "cluster/Dockerfile").read_text().partition("RUN pip install")
    copies = [line.split()[1:] for line in before.splitlines() if line.startswith("COPY ")]
    copied = [Path(source) for *sources, _ in copies for source in sources]
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [Path(each) for each in (*wheel["packages"], *wheel["force-include"], *wheel["shared-data"])]
    assert install
    assert not [path for path in needed if not {path, *path.parents} & {*copied}]


def test_every_container_that_speaks_to_ray_has_the_token(job):
    secret = {"secretKeyRef": {"name": "raylm-ray-token", "key": "auth_token"}}
    assert len(containers(job)) == 3
    for container in containers(job):
        environment = {entry["name"]: entry for entry in container["env"]}
        assert environment["RAY_AUTH_MODE"]["value"] == "token"
        assert environment["RAY_AUTH_TOKEN"]["valueFrom"] == secret
        assert environment["RAYLM_STORAGE"]["value"].startswith("/storage/")
    assert job["rayClusterSpec"]["authOptions"] == {"mode": "token", "secretName": "raylm-ray-token"}


def test_no_secret_stands_in_the_environment_that_everyone_can_read(job):
    environment = yaml.safe_load(job["runtimeEnvYAML"])["env_vars"]
    assert set(environment) == {"RAY_JOB_STOP_WAIT_TIME_S"}


def test_the_rayjob_names_the_ray_that_raylm_is_tested_with(job):
    assert job["rayClusterSpec"]["rayVersion"] == version("ray")


def test_the_volume_and_the_network_policy_fit_the_pods(documents, job):
    pods = [job["rayClusterSpec"]["headGroupSpec"], *job["rayClusterSpec"]["workerGroupSpecs"]]
    for pod in pods:
        spec = pod["template"]["spec"]
        (volume,) = spec["volumes"]
        assert (
            volume["persistentVolumeClaim"]["claimName"]
            == documents["PersistentVolumeClaim"]["metadata"]["name"]
        )
        assert spec["containers"][0]["volumeMounts"] == [{"name": volume["name"], "mountPath": "/storage"}]
        assert spec["securityContext"]["runAsNonRoot"]
    allowed = documents["NetworkPolicy"]["spec"]["ingress"][0]["from"]
    labels = [peer["podSelector"]["matchLabels"] for peer in allowed]
    assert {"ray.io/originated-from-cr-name": documents["RayJob"]["metadata"]["name"]} in labels


def test_the_readme_names_no_service_whose_name_only_the_cluster_knows():
    text = (ROOT / "cluster/README.md").read_text()
    assert "kubectl get service -l ray.io/node-type=head\n" in text
    assert not re.findall(r"[\w-]+-head-svc", text)


def test_the_slurm_script_is_sound_bash():
    done = subprocess.run(["bash", "-n", str(SLURM)], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_slurm_script_trains_a_recipe_that_loads_with_a_worker_a_node():
    text = SLURM.read_text()
    nodes = re.search(r"^#SBATCH --nodes=(\d+)$", text, re.MULTILINE)[1]
    command = re.search(r"raylm train [^&]*", text)[0].replace("$SLURM_NNODES", nodes)
    path, overrides = trained(command)
    assert overrides == [f"scaling.num_workers={nodes}"]
    assert Recipe.load(ROOT / path, overrides).scaling.num_workers == int(nodes)


@pytest.fixture
def slurm(tmp_path):
    """Run the script with commands that only write down how they were called, up to where Ray would start."""
    home, programs = tmp_path / "home", tmp_path / "bin"
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/activate").touch()
    home.mkdir()
    programs.mkdir()
    log = tmp_path / "calls"
    auth = "$(env | grep ^RAY_AUTH | sort)"
    note = f'#!/bin/bash\necho "$(basename "$0") $* | {auth} " | tr "\\n" " " | sed "s/ *$/\\n/" >> {log}\n'
    for name, ending in {
        "srun": "exec sleep 20\n",
        "ip": "echo '1: lo    inet 127.0.0.1/8'; echo '2: eth7    inet 10.1.2.3/24'\n",
        "python": 'cat > /dev/null; case "$*" in -c*) echo secret-token;; -) echo 10.1.2.3;; esac\n',
        "raylm": "sleep 1; exit 75\n",
        "scontrol": "",
    }.items():
        (programs / name).write_text(note + ending)
        (programs / name).chmod(0o700)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(home),
        "SLURM_SUBMIT_DIR": str(tmp_path),
        "SLURM_JOB_ID": "123456",
        "SLURM_NNODES": "3",
        "SLURM_CPUS_PER_TASK": "4",
        "SLURMD_NODENAME": "node1",
        "RAY_AUTH_TOKEN": "of-another-cluster",
    }
    options = {"env": environment, "stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 15}
    done = subprocess.run(["bash", str(SLURM)], check=False, **options)
    return done, log.read_text().splitlines(), home


def test_the_slurm_script_gives_every_node_the_token_of_a_private_file(slurm):
    _, calls, home = slurm
    starts = [call.split(" | ")[1] for call in calls if call.startswith("srun")]
    assert starts == [f"RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH={home}/.raylm-token-123456"] * 2
    assert not list(home.iterdir()), "the token outlives the job"


def test_the_slurm_script_starts_a_head_and_the_other_nodes_and_queues_again(slurm):
    done, calls, _ = slurm
    starts = [call.split(" | ")[0] for call in calls if call.startswith("srun")]
    head, others = sorted(starts, key=lambda call: "--head" not in call)
    assert "--nodes=1 " in head
    assert "--nodelist=node1" in head
    assert head.endswith("--head --node-ip-address=10.1.2.3 --port=23456 --include-dashboard=false")
    assert "--nodes=2 " in others
    assert "--exclude=node1" in others
    assert others.endswith("--address=10.1.2.3:23456")
    assert any(call.startswith("scontrol requeue 123456") for call in calls)
    assert done.returncode == 75
