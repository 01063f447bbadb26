from mmreid_ext.protocols.camera_label import camera_label


def test_cameras_count_from_one_as_file_names_do():
    assert [camera_label(camid) for camid in (0, 1, 14)] == ["cam 1", "cam 2", "cam 15"]
    assert camera_label(-1) == camera_label(-7) == "unknown camera"
