from mmreid_ext.datasets.own_images.listing import Listing


def test_what_is_left_out_is_told_by_its_reason():
    found = Listing("folders", "one folder per person")
    found.leave_out("empty", [])
    assert found.left_out_text() == []
    found.leave_out("no pictures", ["a.txt"])
    found.leave_out("no pictures", (f"{n}.txt" for n in range(6)))
    assert found.left_out_text() == [
        "7 left out, no pictures: a.txt, 0.txt, 1.txt, 2.txt, 3.txt and 2 more"
    ]
