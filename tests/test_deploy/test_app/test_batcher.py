import asyncio
import threading

import numpy as np
import pytest

from mmreid_ext.deploy.app.batcher import Batcher
from mmreid_ext.deploy.app.refusals import Refusal


def picture(value):
    return np.full((2, 2), value, np.float32)


class Model:
    """Embeds a picture as (its value, 1); remembers what it saw, and waits for its gate."""

    def __init__(self):
        self.batches, self.gate = [], threading.Event()
        self.gate.set()

    def __call__(self, stack):
        assert self.gate.wait(10)
        self.batches.append(stack[:, 0, 0].tolist())
        if (stack < 0).any():
            raise ValueError("negative")
        return np.stack([stack[:, 0, 0], np.ones(len(stack))], 1)


def run(test, **options):
    async def main():
        model = Model()
        batcher = Batcher(model, **options)
        try:
            return await test(model, batcher)
        finally:
            model.gate.set()
            await batcher.close()

    return asyncio.run(main())


async def ask(batcher, *values):
    with batcher.room(len(values)):
        rows = await batcher.embed([picture(value) for value in values])
    return rows[:, 0].tolist()


async def until(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never happened")


def test_everybody_gets_the_own_rows_whatever_the_batches():
    async def test(model, batcher):
        wanted = [[float(10 * n + k) for k in range(n % 4 + 1)] for n in range(40)]
        found = await asyncio.gather(*(ask(batcher, *values) for values in wanted))
        assert found == wanted
        return model.batches

    batches = run(test, batch=3)
    assert max(map(len, batches)) == 3
    assert sorted(sum(batches, [])) == sorted(
        float(10 * n + k) for n in range(40) for k in range(n % 4 + 1)
    )


def test_what_comes_while_the_model_works_goes_together():
    async def test(model, batcher):
        model.gate.clear()
        first = asyncio.create_task(ask(batcher, 1))
        await until(lambda: len(batcher) == 0 and batcher._worker is not None)
        others = [asyncio.create_task(ask(batcher, n)) for n in (2, 3, 4)]
        await until(lambda: len(batcher) == 3)
        model.gate.set()
        await asyncio.gather(first, *others)
        return model.batches

    assert run(test, batch=8) == [[1.0], [2.0, 3.0, 4.0]]


def test_a_picture_waits_for_others_if_it_is_told_to():
    async def test(model, batcher):
        first = asyncio.create_task(ask(batcher, 1))
        await asyncio.sleep(0.01)
        await asyncio.gather(first, ask(batcher, 2))
        return model.batches

    assert run(test, wait=0.2) == [[1.0, 2.0]]


def test_a_full_queue_refuses_all_of_a_request_or_nothing():
    async def test(model, batcher):
        model.gate.clear()
        first = asyncio.create_task(ask(batcher, 1, 2, 3))
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as refused:
            await ask(batcher, 4, 5)
        assert refused.value.status == 503 and "Retry-After" in refused.value.headers
        second = asyncio.create_task(ask(batcher, 6))
        await asyncio.sleep(0)
        model.gate.set()
        assert await first == [1, 2, 3] and await second == [6]
        assert await ask(batcher, 7, 8, 9, 10) == [7, 8, 9, 10]

    run(test, queue=4)


def test_a_cancelled_request_is_passed_over_and_gives_its_room_back():
    async def test(model, batcher):
        model.gate.clear()
        first = asyncio.create_task(ask(batcher, 1))
        await asyncio.sleep(0.05)
        gone, other = asyncio.create_task(ask(batcher, 2, 3)), asyncio.create_task(ask(batcher, 4))
        await until(lambda: len(batcher) == 3)
        gone.cancel()
        await asyncio.sleep(0)
        model.gate.set()
        assert await first == [1] and await other == [4]
        assert gone.cancelled()
        assert await ask(batcher, 5, 6, 7, 8) == [5, 6, 7, 8]
        return model.batches

    assert run(test, queue=4)[:2] == [[1.0], [4.0]]


def test_one_faulty_picture_fails_alone():
    async def test(model, batcher):
        model.gate.clear()
        first = asyncio.create_task(ask(batcher, 0))
        await asyncio.sleep(0.05)
        tasks = [asyncio.create_task(ask(batcher, n)) for n in (1, -2, 3)]
        await until(lambda: len(batcher) == 3)
        model.gate.set()
        found = await asyncio.gather(first, *tasks, return_exceptions=True)
        assert found[:2] == [[0], [1]] and found[3] == [3]
        assert isinstance(found[2], ValueError)
        assert await ask(batcher, 9) == [9]

    run(test)


def test_numbers_that_are_none_are_an_error_of_their_own():
    async def main():
        batcher = Batcher(lambda stack: np.full((len(stack), 2), np.nan))
        with pytest.raises(Refusal, match="finite"):
            await ask(batcher, 1)
        await batcher.close()

    asyncio.run(main())


def test_a_model_that_loses_rows_is_noticed():
    async def main():
        batcher = Batcher(lambda stack: np.ones((1, 2)))
        with pytest.raises(RuntimeError, match="1 rows for 2"):
            batcher._embed([picture(1), picture(2)])
        await batcher.close()

    asyncio.run(main())


def test_the_end_finishes_what_waits_and_refuses_what_comes():
    async def main():
        sizes = []
        batcher = Batcher(Model(), batch=2, observe=sizes.append)
        tasks = [asyncio.create_task(ask(batcher, n)) for n in range(5)]
        await asyncio.sleep(0)
        await batcher.close()
        assert await asyncio.gather(*tasks) == [[n] for n in range(5)]
        with pytest.raises(Refusal, match="stopping"):
            await ask(batcher, 1)
        assert sum(sizes) == 5 and max(sizes) <= 2
        assert not [t for t in threading.enumerate() if t.name.startswith("model")]

    asyncio.run(main())
