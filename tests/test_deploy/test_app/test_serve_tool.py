"""The command line, and what only a real server on a real port shows."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from helpers.exported_model import write_onnx
from helpers.fake_deploy import drawn, file_of
from helpers.paths import ROOT
from helpers.tools import load_tool, run_tool

KEY = "k3y-of-more-than-16-signs"


@contextmanager
def serving(folder, *options, **env):
    """Start the tool; give its process and its port. What it wrote is in ``said`` afterwards."""
    spare = folder / "tmp"
    spare.mkdir(exist_ok=True)
    env = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1", TMPDIR=str(spare)) | env
    command = [sys.executable, str(ROOT / "tools" / "serve.py"), "--port", "0", "--threads", "1"]
    begin = time.monotonic()
    process = subprocess.Popen(
        [*command, "--model", str(folder / "model.onnx"), *map(str, options)],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    process.said, process.spare = "", spare
    try:
        for line in process.stdout:
            process.said += line
            if found := re.search(r"http://[\w.-]+:(\d+)", line):
                process.port = int(found[1])
                break
        else:
            raise AssertionError(process.said)
        send(process, "/health")
        process.seconds = time.monotonic() - begin
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.said += process.stdout.read()
        process.wait(20)


def send(process, path, data=None, method=None, **headers):
    request = Request(f"http://127.0.0.1:{process.port}{path}", data, headers, method=method)
    try:
        with urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def form(**files):
    parts = [
        f'--xyz\r\nContent-Disposition: form-data; name="{name}"'.encode()
        + (b'; filename="a.png"' if isinstance(content, bytes) else b"")
        + b"\r\n\r\n"
        + (content if isinstance(content, bytes) else content.encode())
        for name, content in files.items()
    ]
    return b"\r\n".join([*parts, b"--xyz--\r\n"])


FORM = {"Content-Type": "multipart/form-data; boundary=xyz"}


@pytest.mark.slow
def test_from_the_start_to_the_end(tmp_path):
    write_onnx(tmp_path)
    with serving(tmp_path, "--gallery", tmp_path / "people.db") as process:
        anna = form(images=file_of(drawn(1)), identity="Änna/b", camera="gate")
        status, body = send(process, "/enroll", anna, **FORM)
        assert (status, json.loads(body)["added"]) == (200, 1)
        status, body = send(process, "/search", form(image=file_of(drawn(1))), **FORM)
        (match,) = json.loads(body)["matches"]
        assert match["identity"] == "Änna/b" and match["similarity"] > 0.999 and match["same"]
        assert send(process, match["thumbnail"])[1].startswith(b"\xff\xd8")
        status, body = send(process, "/gallery")
        assert json.loads(body)["people"] == [{"identity": "Änna/b", "count": 1}]
        path = f"/person/{quote('Änna/b', safe='')}"
        assert send(process, path, method="DELETE") == (200, b'{"deleted":1}')
        assert send(process, "/thumbnail/1")[0] == 404
        assert send(process, "/")[1].startswith(b"<!doctype html>")
        before = set(process.spare.iterdir())
        large = file_of(drawn(2, 2000, 1000), ".bmp")
        assert len(large) > 4 << 20
        assert send(process, "/enroll", form(images=large), **FORM)[0] == 200
        assert set(process.spare.iterdir()) == before  # no upload
    assert process.returncode == 0
    assert process.said.rstrip().endswith("Stopped.")
    assert "Traceback" not in process.said and "nna" not in process.said


@pytest.mark.slow
def test_limits_on_a_real_port(tmp_path):
    write_onnx(tmp_path)
    limits = ["--limit", "max_body=100000", "--limit", "timeout=1"]
    with serving(tmp_path, *limits) as process:
        picture = {"Content-Type": "image/png"}
        head = b"POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        chunk = b"%x\r\n%s\r\n" % (50_000, bytes(50_000))
        for sent, status in (
            (head + b"Content-Length: 999999999\r\n\r\nabc", b"413"),
            (head + b"Transfer-Encoding: chunked\r\n\r\n" + 3 * chunk, b"413"),
            (head + b"Content-Length: 100\r\n\r\nabc", b"408"),
            (head + b"Content-Length: -1\r\n\r\nabc", b"400"),
            (b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"421"),
        ):
            assert exchange(process.port, sent).split(b" ")[1] == status
        assert send(process, "/embed", file_of(drawn(1)), **picture)[0] == 200


def exchange(port, sent):
    """Send bytes, and return the beginning of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        return connection.recv(4096)


@pytest.mark.slow
def test_a_stop_waits_for_what_has_begun(tmp_path):
    write_onnx(tmp_path)
    with serving(tmp_path) as process:
        body = file_of(drawn(1))
        head = (
            f"POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", process.port), timeout=10) as connection:
            connection.sendall(head + body[:50])
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            connection.sendall(body[50:])
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        assert process.wait(20) == 0


@pytest.mark.slow
def test_the_key_of_a_file_opens_and_is_never_shown(tmp_path):
    write_onnx(tmp_path)
    (tmp_path / "key.txt").write_text(f"{KEY}\n")
    options = ["--host", "0.0.0.0", "--api-key-file", tmp_path / "key.txt"]
    with serving(tmp_path, *options) as process:
        picture = {"Content-Type": "image/png"}
        assert send(process, "/embed", file_of(drawn(1)), **picture)[0] == 401
        picture["Authorization"] = f"Bearer {KEY}"
        assert send(process, "/embed", file_of(drawn(1)), **picture)[0] == 200
        assert KEY not in " ".join(process.args)
    assert KEY not in process.said


@pytest.mark.parametrize(
    "options, words",
    [
        (["--host", "0.0.0.0"], "MMREID_API_KEY"),
        (["--limit", "batches=2"], "did you mean 'batch'"),
        (["--port", "{taken}"], "is taken by another program"),
        (["--model", "none.onnx"], "none.onnx"),
        (["--api-key-file", "short.txt"], "at least 16 characters"),
        (["--provider", "NoExecutionProvider"], "NoExecutionProvider"),
    ],
    ids=str,
)
def test_what_is_wrong_is_one_line(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("MMREID_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.txt").write_text("sesame")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        options = [o.format(taken=other.getsockname()[1]) for o in options]
        given = ["--model", write_onnx(tmp_path), "--port", 0]
        before = set(threading.enumerate())
        with pytest.raises(SystemExit) as ended:
            run_tool("serve", monkeypatch, *given, *options)
    message = str(ended.value.code)
    assert words in message and "sesame" not in message
    assert not [thread for thread in threading.enumerate() if thread not in before]


def test_a_gallery_of_another_model_is_refused_at_the_start(tmp_path, monkeypatch):
    from helpers.exported_model import info, record

    from mmreid_ext.deploy import Gallery

    Gallery(tmp_path / "people.db", model=info(weights="ef" * 32)).close()
    model = write_onnx(tmp_path, about=record(weights="ab" * 32))
    with pytest.raises(SystemExit) as ended:
        run_tool(
            "serve", monkeypatch, "--model", model, "--gallery", tmp_path / "people.db", "--port", 0
        )
    assert "efefefef" in str(ended.value.code) and "abababab" in str(ended.value.code)


@pytest.mark.slow
def test_mutated_uploads_leave_the_service_unharmed(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "tools" / "benchmarks"))
    tool = load_tool("benchmarks/uploads")
    model = str(write_onnx(tmp_path))
    monkeypatch.setattr(sys, "argv", ["uploads", "--model", model, "--requests", "300"])
    code = tool.run(tool.parse_args())
    shown = capsys.readouterr().out
    assert code == 0, shown
    assert "200: " in shown and "422: " in shown  # some requests are sound, some reach a decoder


@pytest.mark.slow
def test_the_load_is_measured_above_the_floor(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools" / "benchmarks"))
    options = ["--clients", "2", "--batches", "8", "--seconds", "1"]
    model, out = write_onnx(tmp_path), tmp_path / "figures.json"
    run_tool("benchmarks/service", monkeypatch, "--model", model, "--json", out, *options)
    (row,) = json.loads(out.read_text())
    assert row["errors"] == 0 and row["requests"] > 10
    assert 0 < row["cpu_ms"] - row["above_floor_ms"] < row["cpu_ms"] < 100
    assert row["p50_ms"] <= row["p99_ms"] and row["memory_last_mb"] > 10
