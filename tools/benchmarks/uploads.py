"""Send a service requests of which something is wrong, and see that it stays unharmed.

python tools/benchmarks/uploads.py --model model.onnx --requests 10000

The service is a process of its own with a gallery in a temporary folder. Pictures, forms, fields,
headers, lengths, chunks and addresses are mutated, and clients are slow or leave. The exit code is
1 if a request ended in a status of 5xx, if the service died, answered another than before, or grew.
A request is reported by its number; --first N --requests 1 repeats it.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mutated_requests import Attempt, attempt, form, head, pictures, sound
from running_service import Running, running_service

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_PATIENCE, _ENOUGH = 20.0, 0.2
_LOOKS = 20


@dataclass
class Outcome:
    """What a run has found.

    Attributes:
        statuses: How often each kind of request ended in each way.
        bad: Numbers of the requests that ended in 5xx or in nothing.
        memory: Of the service, in bytes, now and then.
        faults: Sentences about what must not be.
    """

    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: list[tuple[int, str]] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="an exported model, .onnx or .xml")
    parser.add_argument("--requests", type=int, default=10_000, help="default: 10,000")
    parser.add_argument("--first", type=int, default=0, help="number of the first request")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--clients", type=int, default=4, help="at one time (default: 4)")
    parser.add_argument(
        "--growth", type=float, default=48, help="MB that the service may grow by (default: 48)"
    )
    args = parser.parse_args()
    if min(args.requests, args.clients) < 1:
        parser.error("--requests and --clients must be at least 1")
    return args


async def ask(port: int, one: Attempt) -> tuple[str, bytes]:
    """Send a request; return its status, or how it ended, and the answer."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        return f"not connected ({error})", b""
    try:
        for piece in one.pieces:
            writer.write(piece)
            await writer.drain()
            if one.pause:
                await asyncio.sleep(one.pause)
        if one.leave:
            return "left", b""
        answer = await answer_of(reader, writer, _ENOUGH if one.cut else _PATIENCE)
    except asyncio.TimeoutError:
        return "no answer", b""
    except OSError:
        return "closed", b""
    finally:
        writer.close()
    found = _STATUS.match(answer)
    return (found[1].decode() if found else "closed"), answer


async def answer_of(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float
) -> bytes:
    """Read until the service closes; after so many seconds, say that nothing more is sent."""
    reading = asyncio.ensure_future(reader.read())
    done, _ = await asyncio.wait((reading,), timeout=patience)
    if not done:
        writer.write_eof()
    return await asyncio.wait_for(reading, _PATIENCE)


async def send_all(service: Running, args: argparse.Namespace, outcome: Outcome) -> None:
    """Send the requests, several at a time, and look at the memory now and then."""
    files, numbers = pictures(), iter(range(args.first, args.first + args.requests))
    every = max(1, args.requests // _LOOKS)

    async def client() -> None:
        for number in numbers:
            one = attempt(number, args.seed, files)
            status, _ = await ask(service.port, one)
            outcome.statuses[one.kind, status] += 1
            if status.startswith(("5", "n")):
                outcome.bad.append((number, status))
            if (number - args.first) % every == every - 1:
                outcome.memory.append(service.memory if service.alive else 0)
            if not service.alive:
                return

    await asyncio.gather(*(client() for _ in range(args.clients)))


async def known_answer(port: int) -> bytes:
    """Return the answer to a request that nothing is wrong with, without its head."""
    body = form(sound("/embed", pictures()[1]))
    status, answer = await ask(port, Attempt("sound", [head("/embed", len(body)), body]))
    if status != "200":
        raise UserError(f"A sound request ends in {status}; look at the service first.")
    return answer.partition(b"\r\n\r\n")[2]


def judge(service: Running, outcome: Outcome, growth: float, same: bool) -> None:
    """Write down what must not be."""
    if outcome.bad:
        shown = shorten(f"{number} ({status})" for number, status in outcome.bad)
        outcome.faults.append(f"{len(outcome.bad)} requests ended badly: {shown}.")
    if not service.alive:
        outcome.faults.append(f"The service died, exit code {service.process.returncode}.")
    elif not same:
        outcome.faults.append("A sound request has another answer than before.")
    early, late = outcome.memory[len(outcome.memory) // 4 :][:1], outcome.memory[-1:]
    if early and late and late[0] - early[0] > growth * (1 << 20):
        grown = (late[0] - early[0]) / (1 << 20)
        outcome.faults.append(f"The service grew by {grown:.0f} MB after a quarter of the run.")


def run(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        options = ["--model", args.model, "--gallery", Path(folder) / "people.db", "--threads", 1]
        outcome = Outcome()
        with running_service([*options, "--limit", "timeout=10"]) as service:
            before = asyncio.run(known_answer(service.port))
            asyncio.run(send_all(service, args, outcome))
            after = asyncio.run(known_answer(service.port)) if service.alive else b""
            judge(service, outcome, args.growth, before == after)
            cpu = service.cpu if service.alive else 0.0
    kinds = sorted({kind for kind, _ in outcome.statuses})
    for kind in kinds:
        ends = {status: n for (k, status), n in sorted(outcome.statuses.items()) if k == kind}
        print(f"{kind:13}", ", ".join(f"{status}: {n}" for status, n in ends.items()))
    print("memory in MB:", ", ".join(f"{size / (1 << 20):.0f}" for size in outcome.memory))
    print(f"CPU per request: {1000 * cpu / args.requests:.1f} ms")
    for fault in outcome.faults:
        print(f"FAULT: {fault}")
    if not outcome.faults:
        print(f"{args.requests:,} requests, and the service is unharmed.")
    return 1 if outcome.faults else 0


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
