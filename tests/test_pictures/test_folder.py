"""Picture files of a folder are listed alike on every machine."""

from helpers.fake_images import write_images

from mmreid_ext.pictures.folder import list_images


def test_images_are_listed_by_name_without_other_files(tmp_path):
    write_images(tmp_path, "b.PNG", "a.jpg", "10.bmp", "9.jpeg", "sub/c.jpg")
    (tmp_path / "Thumbs.db").touch()
    (tmp_path / "._a.jpg").touch()  # macOS leaves these
    assert [path.name for path in list_images(tmp_path)] == ["10.bmp", "9.jpeg", "a.jpg", "b.PNG"]
