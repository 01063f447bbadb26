"""The container installs what the service imports, starts it as its tool allows, and says so once.

``examples/container/try_steps.py`` runs the steps for real; it needs a package index.
"""

import importlib.util
import json
import re
import shlex

import pytest
import yaml
from helpers.exported_model import write_onnx
from helpers.paths import ROOT
from helpers.tools import load_tool, run_python

from mmreid_ext.deploy.app import auth

FOLDER = ROOT / "examples" / "container"
PAGE = (ROOT / "docs" / "deploy" / "cluster.md").read_text()
NOT_INSTALLED = (
    *("torch", "torchvision", "mmengine", "mmcv", "mmpretrain"),
    *("scipy", "matplotlib", "h5py", "rich", "pandas", "openvino", "onnx"),
)

SERVICE = """
import sys

sys.modules.update(dict.fromkeys({absent}))  # an import of one of them fails
import cv2, numpy as np
from fastapi.testclient import TestClient
from mmreid_ext.deploy.app import create_app
import mmreid_ext.cli.errors  # of tools/serve.py

picture = cv2.imencode(".jpg", np.full((64, 32, 3), 99, np.uint8))[1].tobytes()
app = create_app(sys.argv[1], sys.argv[2], api_key="k" * 16)
with TestClient(app, headers=dict(Authorization="Bearer " + "k" * 16)) as client:
    jpeg = {{"Content-Type": "image/jpeg"}}
    print(client.post("/embed", content=picture, headers=jpeg).status_code)
    print(client.post("/enroll", files=dict(images=picture), data=dict(identity="a")).status_code)
    found = client.post("/search", files=dict(image=picture)).json()
    print([match["identity"] for match in found["matches"]])
"""


def steps():
    """The instructions of the Dockerfile, as ``try_steps.py`` reads them."""
    spec = importlib.util.spec_from_file_location("try_steps", FOLDER / "try_steps.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.instructions((FOLDER / "Dockerfile").read_text())


def arguments(monkeypatch, words):
    """What ``tools/serve.py`` makes of a command line."""
    tool = load_tool("serve")
    monkeypatch.setattr("sys.argv", ["serve.py", *words])
    return tool.parse_args()


def test_the_service_works_with_the_packages_of_the_image_alone(tmp_path):
    pytest.importorskip("httpx")
    code = SERVICE.format(absent=NOT_INSTALLED)
    ran = run_python(code, write_onnx(tmp_path), tmp_path / "people.db")
    assert ran.stdout.splitlines() == ["200", "200", "['a']"], ran.stderr


def test_the_image_starts_the_service_as_its_tool_allows(monkeypatch):
    found = dict(steps())
    entry, command = json.loads(found["ENTRYPOINT"]), json.loads(found["CMD"])
    text = (FOLDER / "Dockerfile").read_text()
    assert entry[1] == "/service/serve.py" and f"cp /source/tools/serve.py {entry[1]}" in text
    args = arguments(monkeypatch, [*entry[2:], *command])
    assert (args.host, args.port) == ("0.0.0.0", 8000)
    assert not auth.is_loopback(args.host)  # so it needs a key
    assert found["EXPOSE"] == "8000" and ":8000/health" in found["HEALTHCHECK"]
    assert auth.KEY_VARIABLE in text


def test_the_image_belongs_to_nobody_special():
    names = [name for name, _ in steps()]
    user = dict(steps())["USER"]
    assert int(user) > 1000 and names.index("USER") < names.index("ENTRYPOINT")
    assert "--uid 10001" in " ".join(rest for name, rest in steps() if name == "RUN")


def test_every_file_that_the_steps_name_is_let_through():
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    allowed = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines and all((ROOT / name).exists() for name in allowed)
    runs = " ".join(rest for name, rest in steps() if name == "RUN")
    named = re.findall(r"/source/([\w./-]+)", runs)
    assert len(named) == 3
    for name in named:
        assert (ROOT / name).is_file()
        assert any(name == one or name.startswith(f"{one}/") for one in allowed)
    read_by_setup = re.findall(r'ROOT / "([\w.-]+)"', (ROOT / "setup.py").read_text())
    assert {*read_by_setup, "setup.py", "pyproject.toml"} <= set(allowed)


def test_the_image_has_the_opencv_of_the_lock():
    lock = (ROOT / "requirements" / "lock.txt").read_text()
    version = re.search(r"(?m)^opencv-python==(\S+)", lock)[1]
    assert f"opencv-python-headless=={version} " in (FOLDER / "requirements.txt").read_text()


def test_kubernetes_starts_one_writer_with_a_key_and_probes(monkeypatch):
    parts = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))
    deployment = next(part for part in parts if part["kind"] == "Deployment")["spec"]
    assert deployment["replicas"] == 1 and deployment["strategy"] == {"type": "Recreate"}
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    entry = json.loads(dict(steps())["ENTRYPOINT"])
    args = arguments(monkeypatch, [*entry[2:], *container["args"]])
    assert args.threads == int(container["resources"]["limits"]["cpu"])
    assert [variable["name"] for variable in container["env"]] == [auth.KEY_VARIABLE]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/health", "port": args.port}
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {str(path).rpartition("/")[0] for path in (args.model, args.gallery)} <= mounted
    (waits,) = pod["initContainers"]
    assert str(args.model) in waits["command"][-1] and f"mv /data/model.part {args.model}" in PAGE
    assert waits["image"] == container["image"]
    assert pod["securityContext"]["runAsUser"] == int(dict(steps())["USER"])


def test_the_documented_commands_name_the_files():
    for command in re.findall(r"(?m)^(docker build .*)$", PAGE):
        words = shlex.split(command)
        assert (ROOT / words[words.index("-f") + 1]).is_file()
    assert "examples/container/kubernetes.yaml" in PAGE and "try_steps.py" in PAGE
