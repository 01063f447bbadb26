"""Readers share, a writer is alone."""

import threading

from mmreid_ext.deploy.gallery.local.read_write_lock import ReadWriteLock


def test_readers_are_together():
    lock, together = ReadWriteLock(), threading.Barrier(2, timeout=10)

    def read():
        with lock.reading():
            together.wait()  # only passes while both read

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not together.broken


def test_a_writer_is_alone():
    lock, value, seen = ReadWriteLock(), [0], []

    def write():
        for _ in range(300):
            with lock.writing():
                value[0] += 1
                value[0] += 1

    def read():
        for _ in range(300):
            with lock.reading():
                seen.append(value[0])

    threads = [threading.Thread(target=work) for work in (write, read, write, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert value == [1200] and all(number % 2 == 0 for number in seen)


def test_a_writer_goes_before_new_readers():
    lock, order, reading = ReadWriteLock(), [], threading.Event()

    def first():
        with lock.reading():
            reading.set()
            while not lock._waiting:
                pass
            late.start()
        writer.join(10)

    def write():
        with lock.writing():
            order.append("writer")

    def read():
        with lock.reading():
            order.append("reader")

    writer, late = threading.Thread(target=write), threading.Thread(target=read)
    start = threading.Thread(target=first)
    start.start()
    reading.wait(10)
    writer.start()
    for thread in (start, writer, late):
        thread.join(10)
    assert order == ["writer", "reader"]
