"""Pictures are known by their bytes and their box."""

import hashlib

from mmreid_ext.deploy.gallery.picture_hash import picture_hash


def test_the_hash_of_a_picture():
    assert picture_hash(b"abc") == hashlib.sha256(b"abc").digest()
    assert picture_hash(b"abc", (1, 2, 30, 40.5)) == hashlib.sha256(b"abc1,2,30,40.5").digest()
    assert picture_hash(b"abc", (1.0, 2, 3, 4)) == picture_hash(b"abc", [1, 2, 3, 4])
    assert (
        len({picture_hash(b"abc"), picture_hash(b"abd"), picture_hash(b"abc", (1, 2, 3, 4))}) == 3
    )
