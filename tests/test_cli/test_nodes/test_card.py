"""What a rank says about itself, and what must be equal."""

import json

from mmengine.config import Config

from mmreid_ext.cli.nodes.card import card_of, code_checksum, difference


def config(**settings):
    return Config(dict(work_dir="a", model=dict(type="X", depth=50), data=[dict(n=1)]) | settings)


def test_equal_cards_and_what_may_differ():
    first = card_of(config())
    assert json.loads(json.dumps(first)) == first
    other = config(work_dir="b", local_rank=3, resume=True, load_from="/somewhere")
    assert difference(card_of(other), first) == ""
    assert difference(card_of(), card_of()) == ""


def test_a_setting_that_differs_is_named_with_both_values():
    mine = card_of(config(model=dict(type="X", depth=18), data=[dict(n=2)], e=1, f=1))
    text = difference(mine, card_of(config()))
    assert "data.0.n is 2 there, 1 on rank 0; e is 1 there, not set on rank 0" in text
    assert text.endswith("and 1 more; start every machine with the same configuration and options")


def test_names_and_places_may_differ():
    mine = card_of(config(experiment_name="run_2", work_dir="b", num_workers=0))
    assert difference(mine, card_of(config(experiment_name="run_1", work_dir="a"))) == ""


def test_versions_come_first():
    mine, first = card_of(config(e=1)), card_of(config())
    mine["versions"] = mine["versions"] | {"torch": "2.1.0"}
    first["versions"] = first["versions"] | {"torch": "2.2.0"}
    text = difference(mine, first)
    assert text == "torch is 2.1.0 there, 2.2.0 on rank 0; install the same on every machine"


def test_machines_are_counted_where_the_launcher_does(monkeypatch):
    monkeypatch.setenv("GROUP_RANK", "3")
    monkeypatch.setenv("GROUP_WORLD_SIZE", "4")
    assert card_of()["host"].startswith("machine 3 (")


def test_checksum_of_the_code_sees_a_changed_file(tmp_path, monkeypatch):
    from mmreid_ext.cli.nodes import card

    assert card_of()["versions"]["the code of mmreid_ext (checksum)"] == code_checksum()
    (tmp_path / "__init__.py").write_text("a = 1")
    monkeypatch.setattr(card.mmreid_ext, "__file__", str(tmp_path / "__init__.py"))
    before = code_checksum()
    (tmp_path / "__init__.py").write_text("a = 2")
    assert code_checksum() != before
