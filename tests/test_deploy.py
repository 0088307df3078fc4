"""What deploy/ holds passes its linters, and starts what is there to be started. None of it is run here."""

import pathlib
import shlex
import subprocess
import sys

import pytest

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
    assert "  replicas: 3" in text
    (tmp_path / "wrong.yaml").write_text(text.replace("  replicas: 3", "  replica: 3"))
    assert not kubernetes_validate(tmp_path / "wrong.yaml")[0]


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
    command = shlex.split(dockerfile.partition("CMD ")[2].strip().strip("[]").replace(",", " "))
    assert command[1:3] == ["-m", "lepton_helpers.serving"]
    assert serving.command_line(command[3:]).host == "0.0.0.0"
    port = command[command.index("--port") + 1]
    assert f"EXPOSE {port}" in dockerfile and manifest.count(f"port: {port}") == 3 and f"targetPort: {port}" in manifest
    assert f"name: {serving.TOKEN_VARIABLE}" in manifest and "path: /health" in manifest
