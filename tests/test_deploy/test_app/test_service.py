import asyncio
import hashlib
import logging
import sqlite3
import tempfile
import threading

import pytest
from helpers.fake_deploy import FakeEmbedder, FakeGallery, drawn, file_of

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.deploy.app.requests.multipart import Upload
from mmreid_ext.deploy.app.service import Service
from mmreid_ext.deploy.app.settings import Settings
from mmreid_ext.errors import UserError


def run(test, gallery=None, **settings):
    async def main():
        service = Service(FakeEmbedder(), gallery, Settings(**settings), owns_gallery=True)
        try:
            return await test(service)
        finally:
            await service.close()

    return asyncio.run(main())


def upload(n, content=None):
    return Upload("images", f"{n}.png", file_of(drawn(n)) if content is None else content)


def test_pictures_become_rows_in_their_order():
    async def test(service):
        rows, prepared = await service.embed([upload(1), upload(2), upload(1)])
        assert rows.shape == (3, 12) and (rows[0] == rows[2]).all() and (rows[0] != rows[1]).any()
        assert prepared[0].thumbnail is None and prepared[0].hash == b""
        alone, _ = await service.embed([upload(2)])
        assert (alone[0] == rows[1]).all()

    run(test)


def test_a_box_is_cut_out_before_all_else():
    async def test(service):
        boxed, _ = await service.embed([upload(1)], (0, 0, 16, 32))
        whole, _ = await service.embed([upload(9, file_of(drawn(1)[:32, :16]))])
        assert (boxed == whole).all()

    run(test)


def test_a_broken_picture_is_named_and_frees_its_room():
    async def test(service):
        for _ in range(5):
            with pytest.raises(Refusal, match="images '2.png': the file is empty.") as refused:
                await service.embed([upload(1), upload(2, b""), upload(3)])
            assert refused.value.status == 422
        assert (await service.embed([upload(1)] * 4))[0].shape == (4, 12)

    run(test, queue=4, max_images=4)


def test_a_line_is_no_person():
    """A model that resizes the shorter side would make gigabytes of it."""

    async def test(service):
        line = file_of(drawn(1)[:1].repeat(2, 0).repeat(4, 1))
        with pytest.raises(Refusal, match="128 x 2 pixels are no picture of a person") as refused:
            await service.embed([upload(1, line)])
        assert refused.value.status == 422

    run(test)


def test_what_the_model_says_is_for_the_log(caplog):
    async def test(service):
        service.embedder.fault = UserError("/srv/model.onnx gives NaN.")
        with pytest.raises(Refusal) as refused:
            await service.embed([upload(1, file_of(drawn(1) * 0))])
        assert refused.value.status == 422 and "srv" not in str(refused.value)

    run(test)
    assert "gives NaN" in caplog.text


def test_room_is_taken_before_pictures_are_decoded():
    """Prepared pictures are larger than files: many small files must not fill the memory."""

    async def test(service):
        tasks = [asyncio.create_task(service.embed([upload(n)])) for n in range(9)]
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(one, Refusal) and one.status == 503 for one in found) == 5

    run(test, queue=4, max_images=4)


def test_the_hash_is_that_of_file_and_box():
    async def test(service):
        one = upload(1)
        _, (whole,) = await service.embed([one], keep=True)
        _, (part,) = await service.embed([one], (0, 0, 16, 32), keep=True)
        assert whole.hash == hashlib.sha256(one.content).digest()
        assert part.hash == hashlib.sha256(one.content + b"0,0,16,32").digest()

    run(test)


def test_no_upload_reaches_the_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def test(service):
        await service.embed([upload(1), upload(2)], keep=True)

    run(test)
    assert list(tmp_path.iterdir()) == []


def test_the_line_is_at_one_in_a_thousand_or_near_it():
    async def test(service):
        assert service.threshold.fpr == 0.001
        service.thresholds = service.thresholds[:1]
        assert service.threshold.fpr == 0.01
        service.thresholds = []
        assert service.threshold is None

    run(test)


@pytest.mark.parametrize(
    "error", [UserError("people.db: broken."), sqlite3.OperationalError("/srv/p")]
)
def test_troubles_of_the_gallery_are_for_the_log(error, caplog):
    gallery = FakeGallery()
    gallery.fault = error

    async def test(service):
        with pytest.raises(Refusal) as refused:
            await service.ask(gallery.add, [])
        assert refused.value.status == 503
        assert "people.db" not in str(refused.value) and "/srv" not in str(refused.value)

    with caplog.at_level(logging.ERROR, "mmreid_ext.service"):
        run(test, gallery)
    assert str(error)[:6] in caplog.text
    assert gallery.closed


def test_a_gallery_that_hangs_is_not_waited_for():
    async def test(service):
        ended = threading.Event()
        with pytest.raises(Refusal, match="0.1 seconds") as refused:
            await service.ask(ended.wait, 5)
        ended.set()
        assert refused.value.status == 503

    run(test, FakeGallery(), timeout=0.1)


def test_without_a_gallery_and_with_one_to_read():
    async def test(service):
        with pytest.raises(Refusal, match="--gallery") as refused:
            print(service.writable_gallery)
        assert refused.value.status == 404 and not service.can_write

    run(test)

    async def reading(service):
        assert service.gallery.read_only
        with pytest.raises(Refusal, match="read") as refused:
            print(service.writable_gallery)
        assert refused.value.status == 403

    run(reading, FakeGallery(read_only=True))
