import asyncio

import pytest

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.deploy.app.requests.bodies import Gate, read_body
from mmreid_ext.deploy.app.settings import Settings

SETTINGS = Settings(max_body=100, max_memory=150, max_requests=2)


def read(gate, held, *chunks, length=None):
    taken = []

    async def sent():
        for chunk in chunks:
            taken.append(chunk)
            yield chunk

    return asyncio.run(read_body(sent(), length, gate, held)), taken


def test_chunks_become_a_body():
    gate = Gate(SETTINGS)
    with gate.enter() as held:
        assert held.reading
        assert read(gate, held, b"ab", b"", b"c")[0] == b"abc"
        assert not held.reading and gate.memory == 3
    assert (gate.memory, gate.requests) == (0, 0)


def test_the_length_is_not_believed():
    gate = Gate(SETTINGS)
    with gate.enter() as held, pytest.raises(Refusal) as refused:
        read(gate, held, *[b"x" * 30] * 50, length="3")
    assert refused.value.status == 413
    assert held.size <= 100 and gate.memory == 0


def test_a_length_that_is_too_much_ends_it_at_once():
    gate, taken = Gate(SETTINGS), []

    async def sent():
        taken.append(1)
        yield b"x"

    with gate.enter() as held, pytest.raises(Refusal) as refused:
        asyncio.run(read_body(sent(), "9" * 40, gate, held))
    assert refused.value.status == 413 and not taken


@pytest.mark.parametrize("length", ["-5", "abc", "1e3", "\u0663", ""])
def test_a_length_that_is_no_number_is_passed_over(length):
    gate = Gate(SETTINGS)
    with gate.enter() as held:
        assert read(gate, held, b"ab", length=length)[0] == b"ab"


def test_requests_and_memory_are_bounded_over_all():
    gate = Gate(SETTINGS)
    with gate.enter() as first, gate.enter() as second:
        with pytest.raises(Refusal, match="2 requests") as refused, gate.enter():
            pass
        assert refused.value.status == 503
        gate.hold(first, 90)
        with pytest.raises(Refusal, match="memory") as refused:
            gate.hold(second, 61)
        assert refused.value.status == 503
        gate.hold(second, 60)
    assert (gate.memory, gate.requests) == (0, 0)
