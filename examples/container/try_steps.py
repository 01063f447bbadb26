"""Run the steps of the Dockerfile without Docker, in a temporary folder; then use the service.

python examples/container/try_steps.py model.onnx picture.jpg

It needs a package index, as ``docker build`` does. It says which packages came along, how large
they are, how long the service took to answer, and how much memory it has.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "examples" / "container"
TRAINING = {"torch", "torchvision", "mmengine", "mmcv", "mmcv-lite", "mmpretrain"}


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile: name and the rest."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [(name, rest.strip()) for name, rest in re.findall(r"(?m)^([A-Z]+) (.*)$", joined)]


def copy_context(target: Path) -> None:
    """Copy what ``Dockerfile.dockerignore`` lets through."""
    skip = shutil.ignore_patterns("__pycache__", "*.pth", ".mim")
    for line in (HERE / "Dockerfile.dockerignore").read_text().splitlines():
        if not line.startswith("!"):
            continue
        source, place = ROOT / line[1:], target / line[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=skip)
        else:
            shutil.copyfile(source, place)


def build(folder: Path) -> list[str]:
    """Make ``folder/service`` as the Dockerfile does; return its command."""
    steps = instructions((HERE / "Dockerfile").read_text())
    copy_context(folder / "source")

    def here(text: str) -> str:
        return re.sub(r"(?<![\w/])/(source|service)\b", rf"{folder}/\1", text)

    run = next(rest for name, rest in steps if name == "RUN")
    run = here(run).replace("python -m venv", f"{sys.executable} -m venv", 1)
    subprocess.run(["bash", "-ec", run], check=True, cwd=folder)
    return json.loads(here(dict(steps)["ENTRYPOINT"]))


def report_packages(service: Path) -> None:
    """Say what was installed; stop if a package of the training is there."""
    listed = subprocess.run(
        [service / "bin" / "pip", "list", "--format=json"],
        capture_output=True,
        check=True,
        text=True,
    )
    names = {package["name"] for package in json.loads(listed.stdout)}
    if names & TRAINING:
        raise SystemExit(f"Not needed, but installed: {sorted(names & TRAINING)}")
    size = sum(path.lstat().st_size for path in service.rglob("*") if path.is_file())
    print(f"{len(names)} packages, {size / 1e6:.0f} MB: {', '.join(sorted(names))}")


def ask(address: str, key: str | None, body: bytes | None = None) -> tuple[int, bytes]:
    """Send a request; return status and answer."""
    headers = {"Content-Type": "image/jpeg"} | ({"Authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(address, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def use(command: list[str], model: str, picture: str, folder: Path) -> None:
    """Start the service, ask it, and stop it."""
    command = [*command, "--port", "0", "--model", model, "--gallery", str(folder / "people.db")]
    env = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
    refused = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True)
    print(f"Without a key: exit code {refused.returncode}, {refused.stderr.strip()}")
    key, begin = secrets.token_urlsafe(32), time.perf_counter()
    process = subprocess.Popen(
        command, env=env | {"MMREID_API_KEY": key}, cwd=folder, stdout=subprocess.PIPE, text=True
    )
    try:
        port = None
        while port is None:
            line = process.stdout.readline()
            if not line:
                raise SystemExit("The service ended before it answered.")
            port = re.search(r"http://\S+:(\d+)", line)
        address = f"http://127.0.0.1:{port[1]}"
        wait = time.perf_counter() - begin
        print(f"First answer after {wait:.1f} s:", ask(f"{address}/health", None))
        content = Path(picture).read_bytes()
        print("Embed without a key:", ask(f"{address}/embed", None, content)[0])
        status, answer = ask(f"{address}/embed", key, content)
        print("Embed:", status, f"{json.loads(answer).get('size')} numbers")
        memory = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        print("Memory:", int(re.search(r"(?m)^Pss: +(\d+)", memory)[1]) // 1000, "MB")
    finally:
        process.terminate()
        print("Stopped with exit code", process.wait(timeout=30))


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    model, picture = (str(Path(path).resolve()) for path in sys.argv[1:])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = build(folder)
        report_packages(folder / "service")
        use(command, model, picture, folder)


if __name__ == "__main__":
    main()
