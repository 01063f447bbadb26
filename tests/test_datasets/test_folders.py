import pytest

from mmreid_ext.datasets.folders import find_folder

LAYOUTS = (("train", "test"), ("list.txt",))
OPTIONS = dict(title="Set", obtain="ask the authors.")


def find(root, layouts=LAYOUTS):
    return find_folder(root, ("Set-v1", "set"), layouts, **OPTIONS)


@pytest.mark.parametrize("name", ["Set-v1", "set", "."])
def test_every_name_and_the_folder_itself_are_found(tmp_path, name):
    (tmp_path / name / "train").mkdir(parents=True)
    (tmp_path / name / "test").mkdir()
    assert find(tmp_path).resolve() == (tmp_path / name).resolve()


def test_an_incomplete_folder_is_passed_over(tmp_path):
    (tmp_path / "Set-v1" / "train").mkdir(parents=True)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "list.txt").touch()
    assert find(tmp_path) == tmp_path / "set"


def test_message_names_folders_lacks_layout_and_remedy(tmp_path):
    (tmp_path / "set" / "train").mkdir(parents=True)
    with pytest.raises(FileNotFoundError) as error:
        find(tmp_path, LAYOUTS[:1])
    message = str(error.value)
    assert f"{tmp_path / 'Set-v1'}: no such folder" in message
    assert f"{tmp_path / 'set'}: lacks test" in message
    assert "train, test" in message and "ask the authors." in message
    assert "MMREID_DATA_ROOT" in message


def test_default_root_is_the_environment_variable(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "list.txt").touch()
    monkeypatch.setenv("MMREID_DATA_ROOT", str(tmp_path))
    assert find(None) == tmp_path / "set"
    monkeypatch.delenv("MMREID_DATA_ROOT")
    with pytest.raises(FileNotFoundError, match=r"data/Set-v1"):
        find(None)
