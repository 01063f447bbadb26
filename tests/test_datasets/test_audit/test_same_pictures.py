"""The same bytes in two places."""

from helpers.drawn_shop import found

from mmreid_ext.datasets.audit.report import audit
from mmreid_ext.datasets.audit.sources import sets_of_path


def test_one_picture_of_two_people(shop):
    name = shop.path("train").name
    shop.add("copy.jpg", shop.path("train"), "joe", "1", "train")
    assert found(shop.audit()) == {"two_people": [[name, "copy.jpg"]]}


def test_one_picture_to_train_on_and_to_test(shop):
    name = shop.path("train").name
    shop.add("copy.jpg", shop.path("train"), shop.person("gallery"), "1", "gallery")
    assert found(shop.audit()) == {"train_and_test": [[name, "copy.jpg"]]}


def test_a_query_in_the_gallery_counts_unless_the_camera_rule_removes_it(shop):
    path, (_, person, camera, _) = shop.path("query"), shop.row("query")
    shop.add("same_camera.jpg", path, person, camera, "gallery")
    assert found(shop.audit()) == {}
    shop.add("other_camera.jpg", path, person, "9", "gallery")
    kinds = found(shop.audit())
    assert kinds["query_and_gallery"] == [[path.name, "same_camera.jpg", "other_camera.jpg"]]


def test_a_query_in_the_gallery_under_another_name(shop):
    path, camera = shop.path("query"), shop.row("query")[2]
    shop.add("copy.jpg", path, shop.person("query", -1), camera, "gallery")
    assert set(found(shop.audit())) == {"two_people", "query_and_gallery"}


def test_one_picture_twice_for_one_purpose(shop):
    path, (_, person, camera, _) = shop.path("train"), shop.row("train")
    shop.add("again.jpg", path, person, camera, "train")
    shop.rows.append(shop.row("train", 3))
    kinds = found(shop.audit())
    assert list(kinds) == ["repeated"]
    name = shop.path("train", 3).name
    assert sorted(kinds["repeated"]) == sorted([[path.name, "again.jpg"], [name, name]])


def test_boxes_of_one_frame_are_different_pictures(shop):
    shop.rows = [row for row in shop.rows if row[3] != "train"]
    path = shop.write()
    frame = "query/" + shop.path("query").name
    lines = path.read_text().splitlines()
    lines = [lines[0] + ",x,y,w,h", *(line + ",,,," for line in lines[1:])]
    lines += [f"{frame},p{k},1,gallery,{5 * k},0,30,100" for k in (0, 1, 1)]
    path.write_text("\n".join(lines) + "\n")
    kinds = found(audit("x", sets_of_path(path), workers=1))
    assert kinds == {"repeated": [[shop.path("query").name] * 2]}
