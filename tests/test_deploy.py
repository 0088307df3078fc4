"""What deploy/ holds passes its linters, and starts what is there to be started. None of it is run here."""

import pathlib
import re
import shlex
import subprocess
import sys

import pytest

import notebooks
from lepton_helpers import serving

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "deploy"
BESIDE = pathlib.Path(sys.executable).parent


def kubernetes_validate(path):
    """Return (whether it is valid, what the validator says)."""
    command = [BESIDE / "kubernetes-validate", "--strict", path]
    result = subprocess.run(command, capture_output=True, text=True)
    return result.returncode == 0 and " passed " in result.stdout + result.stderr, result.stdout + result.stderr


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_manifests_are_valid(path):
    valid, text = kubernetes_validate(path)
    assert valid, text


def test_the_validator_sees_a_wrong_field(tmp_path):
    text = (FOLDER / "service.yaml").read_text()
    for right, wrong in (("  minReplicas: 3", "  minReplica: 3"), ("  selector:\n", "  select:\n")):
        assert right in text
        (tmp_path / "wrong.yaml").write_text(text.replace(right, wrong))
        assert not kubernetes_validate(tmp_path / "wrong.yaml")[0]


def test_the_autoscaler_scales_the_deployment_and_nothing_else_sets_its_size():
    text = (FOLDER / "service.yaml").read_text()
    deployment = next(part for part in text.split("\n---\n") if "\nkind: Deployment\n" in part)
    scaler = next(part for part in text.split("\n---\n") if "\nkind: HorizontalPodAutoscaler\n" in part)
    (name,) = re.findall(r"^  name: (\S+)$", deployment, re.M)
    assert f"scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}" in scaler
    assert "\n  replicas:" not in deployment and "requests: {cpu:" in deployment  # of which it takes the share
    least, most = (int(re.search(rf"{end}Replicas: (\d+)", scaler)[1]) for end in ("min", "max"))
    assert 1 < least < most


@pytest.mark.skipif(not (BESIDE / "hadolint").exists(), reason="hadolint has a build for Linux x86-64 only")
def test_the_image_description_passes_its_linter(tmp_path):
    def hadolint(path):
        return subprocess.run([BESIDE / "hadolint", path], capture_output=True, text=True).stdout

    assert hadolint(FOLDER / "Dockerfile") == ""
    wrong = tmp_path / "Dockerfile"
    wrong.write_text((FOLDER / "Dockerfile").read_text().replace("python:3.12-slim", "python"))
    assert "DL3006" in hadolint(wrong)


def test_image_and_manifest_name_what_the_service_takes():
    dockerfile, manifest = (FOLDER / "Dockerfile").read_text(), (FOLDER / "service.yaml").read_text()
    command = shlex.split(dockerfile.partition("CMD ")[2].strip().strip("[]").replace("\\\n", "").replace(",", " "))
    assert command[1:3] == ["-m", "lepton_helpers.serving"]
    assert serving.command_line(command[3:]).host == "0.0.0.0"
    port = command[command.index("--port") + 1]
    assert f"EXPOSE {port}" in dockerfile and manifest.count(f"port: {port}") == 3 and f"targetPort: {port}" in manifest
    assert f"name: {serving.TOKEN_VARIABLE}" in manifest and "path: /health" in manifest


@pytest.mark.parametrize("lesson", ["05_deploy_the_model"])
def test_every_line_that_a_lesson_quotes_stands_in_its_file(lesson):
    files = "\n".join(path.read_text() for path in FOLDER.iterdir())
    lines = {line.strip() for line in files.splitlines()}
    text = "\n".join(cell.source for cell in notebooks.read(notebooks.FOLDER / f"{lesson}.ipynb").cells)
    quoted = "".join(re.findall(r"```(?:dockerfile|yaml)\n(.*?)```", text, re.S)).splitlines()
    assert quoted and [line for line in quoted if line.strip() not in lines] == []


GITHUB = FOLDER.parent / ".github"
SCHEMAS = {
    "vendor.github-workflows": sorted(GITHUB.glob("workflows/*.yml")),
    "vendor.github-issue-forms": sorted(GITHUB.glob("ISSUE_TEMPLATE/*.yml")),
    "vendor.dependabot": [GITHUB / "dependabot.yml"],
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_github_reads_is_valid(schema, tmp_path):
    def check(*paths):
        command = [BESIDE / "check-jsonschema", "--builtin-schema", schema, *paths]
        return subprocess.run(command, capture_output=True, text=True)

    assert SCHEMAS[schema] and check(*SCHEMAS[schema]).returncode == 0
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(SCHEMAS[schema][0].read_text() + "\nno-such-key: true\n")
    assert "no-such-key" in check(wrong).stdout


def test_every_step_of_a_workflow_is_a_command_that_a_reader_has_too():
    readme, makefile = ((FOLDER.parent / name).read_text() for name in ("README.md", "Makefile"))
    for path in SCHEMAS["vendor.github-workflows"]:
        for command in re.findall(r"- run: (.*)", path.read_text()):
            target = re.match(r"make ([\w-]+)", command)
            assert (
                f"\n{target[1]}:" in makefile
                if target
                else command.replace("python -m venv", "py -3.12 -m venv", 1) in readme
            )
