"""Measure the service: requests per second, CPU time per request, latency, memory.

python tools/benchmarks/service.py --model model.onnx
python tools/benchmarks/service.py --model model.onnx --clients 8 --seconds 600 --batches 8

The service is a process of its own with one thread for the model; clients ask over loopback as soon
as they have an answer. The floor is decoding, resizing and the model in a plain loop of this
process, picture by picture. On a machine that does other things, too, CPU time is what to compare.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from running_service import Running, running_service

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError

_BOUNDARY = b"----benchmark"
_LOOKS = 10


@dataclass
class Load:
    """What some clients saw.

    Attributes:
        clients: At one time.
        batch: Most pictures of one pass through the model.
        seconds: By the clock.
        cpu: Seconds of CPU time of the service.
        latencies: Seconds per request.
        errors: Answers other than 200.
        memory: Of the service in bytes, at equal distances.
    """

    clients: int
    batch: int
    seconds: float = 0.0
    cpu: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    memory: list[int] = field(default_factory=list)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="an exported model, .onnx or .xml")
    parser.add_argument("--images", type=Path, help="folder of JPEG files (default: drawn ones)")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 1], help="batch caps")
    parser.add_argument("--seconds", type=float, default=6, help="of each trial (default: 6)")
    parser.add_argument("--raw", action="store_true", help="bare pictures instead of forms")
    parser.add_argument("--json", type=Path, help="write the figures")
    args = parser.parse_args()
    if min(*args.clients, *args.batches, args.seconds) < 1:
        parser.error("--clients, --batches and --seconds must be at least 1")
    return args


def read_pictures(folder: Path | None, count: int = 64) -> list[bytes]:
    """Return JPEG files, drawn ones of 128 x 64 if there is no folder."""
    if folder is not None:
        files = sorted(folder.glob("*.jpg"))[:count]
        if not files:
            raise UserError(f"--images {folder} holds no .jpg file; give another folder.")
        return [file.read_bytes() for file in files]
    found = []
    for seed in range(count):
        small = np.random.default_rng(seed).integers(0, 256, (16, 8, 3)).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(small).resize((64, 128), Image.Resampling.BICUBIC).save(file, "JPEG")
        found.append(file.getvalue())
    return found


def floor(model: str, pictures: Sequence[bytes], batch: int, seconds: float) -> float:
    """Return the CPU seconds per picture of decoding, resizing and the model."""
    from mmreid_ext.deploy import Embedder
    from mmreid_ext.pictures.read import decode_content

    embedder = Embedder(model, threads=1)
    count, begin, end = 0, 0.0, 0.0
    while count == 0 or end - begin < seconds:
        for start in range(0, len(pictures), batch):
            inputs = [embedder.prepare(decode_content(p)) for p in pictures[start : start + batch]]
            embedder.embed_inputs(np.stack(inputs))
        if begin == 0.0:  # the first round warms up
            begin = time.process_time()
        else:
            count += len(pictures)
        end = time.process_time()
    return (end - begin) / count


def request_of(picture: bytes, raw: bool) -> bytes:
    """Return a request as bytes; the connection stays open."""
    body, kind = picture, "image/jpeg"
    if not raw:
        kind = f"multipart/form-data; boundary={_BOUNDARY.decode()}"
        head = b'Content-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n'
        body = b"--%s\r\n%s%s\r\n--%s--\r\n" % (_BOUNDARY, head, picture, _BOUNDARY)
    lines = ("POST /embed HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}")
    return "\r\n".join((*lines, f"Content-Length: {len(body)}\r\n\r\n")).encode() + body


async def client(port: int, requests: Sequence[bytes], until: float, load: Load) -> None:
    """Ask again and again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = load.clients
    while time.perf_counter() < until:
        begin = time.perf_counter()
        writer.write(requests[number % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        load.latencies.append(time.perf_counter() - begin)
        load.errors += not head.startswith(b"HTTP/1.1 200")
        number += 1
    writer.close()


async def watch(service: Running, seconds: float, load: Load) -> None:
    """Look at the memory at equal distances."""
    for _ in range(_LOOKS):
        await asyncio.sleep(seconds / (_LOOKS + 1))
        load.memory.append(service.memory)


async def press(service: Running, requests: Sequence[bytes], seconds: float, load: Load) -> None:
    """Let all clients ask at one time."""
    cpu, begin = service.cpu, time.perf_counter()
    clients = (client(service.port, requests, begin + seconds, load) for _ in range(load.clients))
    await asyncio.gather(*clients, watch(service, seconds, load))
    load.seconds, load.cpu = time.perf_counter() - begin, service.cpu - cpu


def row(load: Load, base: float) -> dict[str, float]:
    """Return the figures of a trial, in milliseconds and MB."""
    cpu = load.cpu / len(load.latencies)
    p50, p99 = np.percentile(load.latencies, (50, 99))
    return {
        "batch": load.batch,
        "clients": load.clients,
        "requests": len(load.latencies),
        "per_second": len(load.latencies) / load.seconds,
        "cpu_ms": 1000 * cpu,
        "above_floor_ms": 1000 * (cpu - base),
        "p50_ms": 1000 * float(p50),
        "p99_ms": 1000 * float(p99),
        "errors": load.errors,
        "memory_first_mb": load.memory[0] / (1 << 20),
        "memory_last_mb": load.memory[-1] / (1 << 20),
    }


def run(args: argparse.Namespace) -> None:
    pictures = read_pictures(args.images)
    requests = [request_of(picture, args.raw) for picture in pictures]
    rows, first = [], 0.0
    for batch in args.batches:
        base = floor(args.model, pictures, 1, min(args.seconds, 6))
        print(f"Floor: {1000 * base:.2f} ms of CPU per picture.", flush=True)
        options = ["--model", args.model, "--threads", 1, "--limit", f"batch={batch}"]
        with running_service(options) as service:
            first = service.first_answer
            for clients in args.clients:
                load = Load(clients, batch)
                asyncio.run(press(service, requests, args.seconds, load))
                rows.append(row(load, base))
                shown = (f"{name} {value:.4g}" for name, value in rows[-1].items())
                print(", ".join(shown), flush=True)
                sizes = ", ".join(f"{size / (1 << 20):.0f}" for size in load.memory)
                print(f"  memory in MB, at equal distances: {sizes}", flush=True)
    print(f"First answer {first:.1f} s after the start. {platform.processor() or 'CPU'}.")
    if args.json is not None:
        args.json.write_text(json.dumps(rows, indent=2) + "\n")


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
