"""Milvus Lite in a process of its own, as a stand-in for a server.

In the process of the tests it would outlive the tests of the gallery: its threads stay, and every
connection of theirs. Run as a program, this file is the server. It ends when its standard input
does, so however the tests end, it ends too.
"""

import os
import queue
import signal
import subprocess
import sys
import threading

START_SECONDS = 120  # a busy machine imports for long
ANSWER_SECONDS = 10


class Stopped(Exception):
    """A server that can't be had, or answers no more."""


class Standin:
    """A server, started when it is asked for, and started again when it answers no more.

    Args:
        folder: Where it keeps its collections; each start gets a folder of its own.
        command: What to start; it prints its port.
        seconds: How long it may take to print it.
        answer: How long it may take to answer.
    """

    def __init__(
        self,
        folder,
        command=(sys.executable, __file__),
        seconds=START_SECONDS,
        answer=ANSWER_SECONDS,
    ):
        self._folder, self._command, self._seconds = folder, command, seconds
        self._answer = answer
        self._process, self._starts = None, 0
        self.uri = None

    def ready(self):
        """Return the address of a server that answers."""
        if self._process is None or not self._answers():
            self.close()
            self._start()
        return self.uri

    def _start(self):
        self._starts += 1
        folder = self._folder / f"lite_{self._starts}"
        log = self._folder / f"lite_{self._starts}.log"
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [*self._command, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        line = _line_of(self._process.stdout, self._seconds)
        if not line.strip().isdigit():
            self.close()
            said = log.read_text(errors="replace")[-500:]
            raise Stopped(f"Milvus Lite gave no port within {self._seconds} s: {line!r} {said!r}")
        self.uri = f"http://127.0.0.1:{int(line)}"

    def _answers(self):
        from mmreid_ext.deploy.own_thread import call_in_own_thread

        def ask():
            from pymilvus import MilvusClient

            client = MilvusClient(self.uri, timeout=self._answer, dedicated=True)
            client.close()

        try:
            call_in_own_thread(ask, 2 * self._answer)
        except Exception:  # noqa: BLE001 - whatever it is, this server is of no use
            return False
        return True

    def pause(self):
        """Stop answering, as a server that hangs."""
        self._process.send_signal(signal.SIGSTOP)

    def close(self):
        """End the server, whatever it does."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(timeout=30)
        self._process.stdin.close()
        self._process.stdout.close()
        self._process = None


def _line_of(pipe, seconds):
    """Return the first line of a pipe, or nothing when the time is over."""
    lines = queue.Queue()
    threading.Thread(target=lambda: lines.put(pipe.readline()), daemon=True).start()
    try:
        return lines.get(timeout=seconds)
    except queue.Empty:
        return ""


def _serve(folder):
    """Print the port, and serve until the standard input ends."""
    from concurrent import futures

    import grpc
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from milvus_lite.db import MilvusLite
    from pymilvus.grpc_gen import milvus_pb2_grpc

    size = 256 * 2**20
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=10),
        options=[
            ("grpc.max_receive_message_length", size),
            ("grpc.max_send_message_length", size),
            # pymilvus pings every ten seconds; without this the server hangs up on it.
            ("grpc.http2.min_ping_interval_without_data_ms", 1000),
            ("grpc.http2.max_ping_strikes", 0),
            ("grpc.keepalive_permit_without_calls", 1),
        ],
    )
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(MilvusLite(folder)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    del sys.path[0]  # this folder, whose modules have the names of packages
    _serve(sys.argv[1])
