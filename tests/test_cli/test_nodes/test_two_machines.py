"""A real cable is pulled between two machines, and plugged in again; the long form is
``tools/stress/two_nodes.sh``."""

import subprocess
import time

from helpers.two_machines import ADDRESSES, remove_space, run_ip, two_machines

STEPS, PAUSE = 60, 0.05

RANK = """
import os, sys, time
from datetime import timedelta
import torch, torch.distributed as dist
from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.nodes.joining import join
from mmreid_ext.cli.nodes.losing import watched

steps, pause, saved = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]

@watched()
def main():
    join("gloo", timedelta(minutes=5))
    print("interface", os.environ["GLOO_SOCKET_IFNAME"], flush=True)
    step, weight = torch.load(saved) if os.path.exists(saved) else (0, torch.zeros(3))
    while step < steps:
        gradient = torch.full((3,), 1.0 + step * (1 + dist.get_rank()))
        dist.all_reduce(gradient)
        weight, step = weight * 0.9 + gradient, step + 1
        if dist.get_rank() == 0:
            torch.save((step, weight), saved + ".new")
            os.replace(saved + ".new", saved)
        dist.barrier()
        time.sleep(pause)
    print("weight", weight.tolist(), flush=True)

run_tool(main)
"""


def start_both(machines, program, saved, port):
    """Start a rank on each machine."""
    shared = dict(WORLD_SIZE="2", LOCAL_WORLD_SIZE="1", GROUP_WORLD_SIZE="2")
    shared |= dict(MASTER_ADDR=ADDRESSES[0], MASTER_PORT=str(port), MMREID_SILENCE_SECONDS="4")
    return [
        machines.start(
            rank,
            *(program, str(STEPS), str(PAUSE), saved),
            **shared,
            RANK=str(rank),
            GROUP_RANK=str(rank),
        )
        for rank in (0, 1)
    ]


def outputs(processes):
    """Wait for both; return exit codes and what they wrote."""
    try:
        texts = [process.communicate(timeout=120)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [process.returncode for process in processes], texts


def test_machines_that_a_killed_run_left_are_removed():
    """With what runs in them; those of living processes stay."""
    dead, living = f"mmt{2**22 + 1}a", "mmt1b"
    with two_machines() as machines:
        for space in (dead, living):
            run_ip("netns", "add", space)
        with subprocess.Popen(["ip", "netns", "exec", dead, "sleep", "600"]) as left:
            try:
                while not spaces_with(left.pid):
                    assert left.poll() is None
                machines.remove()
                machines.build()
                assert left.wait(20) == -9
                assert {*machines.spaces, living} <= spaces() and dead not in spaces()
            finally:
                left.kill()
                for space in (dead, living):
                    remove_space(space)


def spaces():
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    return {line.split()[0] for line in listed.stdout.splitlines()}


def spaces_with(process):
    command = ["ip", "netns", "identify", str(process)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_cable_is_pulled_and_plugged_in_again(tmp_path):
    program, saved = tmp_path / "rank.py", tmp_path / "saved"
    program.write_text(RANK)
    weight = 0.0
    for step in range(STEPS):
        weight = weight * 0.9 + (2.0 + 3 * step)
    with two_machines() as machines:
        running = start_both(machines, str(program), str(saved), 29531)
        deadline = time.monotonic() + 100
        while not saved.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        machines.unplug()
        codes, texts = outputs(running)
        assert codes == [1, 1], texts
        for rank, other in ((0, 1), (1, 0)):
            assert f"interface {machines.ends[rank]}" in texts[rank]
            named = f"error: rank {other} on machine {other} ("
            assert named in texts[rank] and "no sign of life for 4 s" in texts[rank]
        machines.plug_in()
        codes, texts = outputs(start_both(machines, str(program), str(saved), 29532))
    assert codes == [0, 0], texts
    for text in texts:
        found = eval(text.rpartition("weight ")[2])  # our own program's list
        assert all(abs(value - weight) < 1e-3 * weight for value in found)
