"""Which file a path means."""

from helpers.fake_images import write_images

from mmreid_ext.datasets.checks.image_files import content_keys, locate


def test_files_are_located_however_many_there_are(tmp_path):
    write_images(tmp_path / "many", *(f"{i}.png" for i in range(40)))
    (tmp_path / "many" / "link.png").symlink_to("3.png")
    names = [*(f"{i}.png" for i in range(40)), "link.png", "none.png"]
    found = locate([f"{tmp_path}/many/{name}" for name in names])
    assert found[:40] == [f"{tmp_path}/many/{i}.png" for i in range(40)]
    assert found[40:] == [f"{tmp_path}/many/3.png", None]
    assert locate(["s3://bucket/a.jpg"]) == ["s3://bucket/a.jpg"]
    keys = content_keys([found[0], found[1], found[40], found[3]])
    assert len(set(keys)) == 3 and keys[2] == keys[3]
