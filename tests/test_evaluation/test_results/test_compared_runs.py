import pytest

from mmreid_ext.evaluation.results.compared_runs import (
    differing_settings,
    missing_notes,
    refuse_repeats,
    setting_notes,
)


def run(ap=(0.5, 0.25), **more):
    test_set = dict(
        plain=dict(ap=list(ap), mAP=sum(ap) / len(ap)), rerank=None, queries={}, data={"x": 1}
    )
    return dict(test_sets=dict(ours=test_set)) | more


def test_settings_that_differ_are_named_with_their_values():
    assert differing_settings([]) == differing_settings([dict(a=1), dict(a=1)]) == ""
    text = differing_settings([dict(a=1, b=2), dict(a=1, c=[3])])
    assert text == "b = 2 / (not set); c = (not set) / [3]"
    many = differing_settings([dict.fromkeys("abcdefg", 1), {}])
    assert many.count("=") == 5 and many.endswith(" and 2 more")


@pytest.mark.parametrize(
    "first, second, sign",
    [
        (dict(checkpoint=dict(sha256="ab")), dict(checkpoint=dict(sha256="ab")), "checkpoint ab"),
        (
            dict(checkpoint=dict(sha256="a", weights="ee")),
            dict(checkpoint=dict(sha256="b", weights="ee")),
            "checkpoint ee",
        ),
        ({}, {}, "the same AP"),
    ],
)
def test_one_run_given_twice(first, second, sign):
    with pytest.raises(ValueError, match=f"Side A: x and y are one run given twice.*{sign}"):
        refuse_repeats("Side A", [run(**first), run(**second)], ["x", "y"])


def test_two_runs_are_two():
    refuse_repeats("A", [run(), run((0.5, 0.5))], ["x", "y"])
    refuse_repeats("A", [run((1, 1)), run((1, 1))], ["x", "y"])  # both perfect: says nothing
    different = [run(checkpoint=dict(sha256=key)) for key in ("a", "b")]
    refuse_repeats("A", different, ["x", "y"])


def test_settings_of_tests_and_trainings_are_compared():
    a = run(settings=dict(distance="cosine", query_expansion=None), training=dict(seed=1))
    b = run(settings=dict(distance="euclidean", query_expansion=None), training=dict(seed=1))
    assert setting_notes([a], [b]) == ["distance differs: cosine, euclidean"]
    (note,) = setting_notes([a, a], [a])
    assert "side A" in note and "training seed 1" in note
    trained = [run(training=dict(seed=s, config=dict(lr=s))) for s in (1, 2)]
    assert setting_notes(trained, [a]) == ["runs of side A were trained differently: lr = 1 / 2"]
    (note,) = setting_notes([trained[1], a], [run()])
    assert note.startswith("1 of 2 runs of side A don't say how they were trained")


def test_what_earlier_files_lack_is_said():
    old, other = run(), run()
    old["test_sets"]["ours"]["data"] = None
    other["test_sets"]["ours"]["plain"]["mAP"] = 0.9
    notes = missing_notes([old, other], ["old.json", "other.json"])
    assert len(notes) == 2
    assert notes[0].startswith("old.json: no fingerprint of the gallery")
    assert notes[1].startswith("other.json: random splits") and "37.50 here and 90.00" in notes[1]
    assert missing_notes([run()], ["new.json"]) == []


def test_notes_can_be_printed():
    runs = [dict(test_sets={}, settings=dict(distance=d)) for d in ("\x1b[2J", "x" * 500)]
    (note,) = setting_notes(runs[:1], runs[1:])
    assert note.isprintable() and len(note) < 250
