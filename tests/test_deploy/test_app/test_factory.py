import sys

import pytest
from helpers.exported_model import write_onnx
from helpers.fake_deploy import FakeEmbedder, FakeGallery, client_of, drawn, file_of
from helpers.tools import run_python

from mmreid_ext.deploy.app import create_app, create_app_from_environment
from mmreid_ext.errors import MissingPackageError, UserError


def test_a_gallery_of_another_model_is_refused_naming_both(embedder):
    with pytest.raises(UserError, match="other999.*abcd1234"):
        create_app(embedder, FakeGallery(model="other999"))


def test_a_weak_key_is_refused(embedder):
    with pytest.raises(UserError, match="16"):
        create_app(embedder, api_key="short")


def test_the_model_is_tried_before_the_first_request(embedder):
    create_app(embedder)
    assert embedder.batches == [1]


def test_a_gallery_of_somebody_else_stays_open(embedder, gallery):
    with client_of(create_app(embedder, gallery)):
        pass
    assert not gallery.closed


def test_the_environment_must_name_a_model(monkeypatch):
    monkeypatch.delenv("MMREID_MODEL", raising=False)
    with pytest.raises(UserError, match="MMREID_MODEL"):
        create_app_from_environment()


def test_the_environment_describes_a_service(tmp_path, monkeypatch):
    """Model, gallery and key, and all of them real."""
    key = "k3y-of-more-than-16-signs"
    monkeypatch.setenv("MMREID_MODEL", str(write_onnx(tmp_path)))
    monkeypatch.setenv("MMREID_GALLERY", str(tmp_path / "people.db"))
    monkeypatch.setenv("MMREID_API_KEY", key)
    headers = {"Authorization": f"Bearer {key}"}
    with client_of(create_app_from_environment(), headers=headers) as client:
        for number in range(30):
            files = {"images": (f"/home/{number}.png", file_of(drawn(number)))}
            sent = {"identity": f"p{number % 3}", "camera": f"c{number % 2}", "time": str(number)}
            assert client.post("/enroll", files=files, data=sent).json()["added"] == 1
        asked = {"camera": "c0", "since": "4", "until": "20", "topk": "3", "rerank": "true"}
        answer = client.post("/search", files={"image": file_of(drawn(8))}, data=asked).json()
        first = answer["matches"][0]
        assert (first["source"], first["time"]) == ("8.png", "1970-01-01T00:00:08Z")
        assert len(answer["matches"]) == 3 and first["similarity"] > 0.999
        assert {match["camera"] for match in answer["matches"]} == {"c0"}
        assert client.get(first["thumbnail"]).headers["content-type"] == "image/jpeg"
        again = client.post("/enroll", files=files, data={"identity": "somebody else"}).json()
        assert (again["added"], again["known"], len(again["conflicts"])) == (0, 1, 1)
        assert client.delete("/person/p1").json() == {"deleted": 10}
        assert "mmreid_gallery_rows 20.0" in client.get("/metrics").text
    del headers["Authorization"]
    with client_of(create_app_from_environment(), headers=headers) as client:  # closed before
        assert client.get("/gallery").status_code == 401


def test_a_missing_package_is_named_with_its_extra(embedder, monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    for name in [name for name in sys.modules if name.startswith("mmreid_ext.deploy.app.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingPackageError, match=r"prometheus_client.*mmreid_ext\[serve\]"):
        create_app(embedder)


def test_the_service_loads_neither_pytorch_nor_mm():
    code = (
        "import sys, mmreid_ext.deploy.app.factory, mmreid_ext.deploy.app.serving\n"
        "heavy = {'torch', 'mmengine', 'mmcv', 'mmpretrain', 'onnxruntime', 'openvino', 'faiss'}\n"
        "print(heavy & set(sys.modules))"
    )
    result = run_python(code)
    assert result.stdout.strip() == "set()", result.stdout + result.stderr


def test_embedders_are_of_one_kind():
    """The fake has what the service asks of a model."""
    fake = FakeEmbedder()
    for name in ("info", "size", "thresholds", "prepare", "embed_inputs"):
        assert hasattr(fake, name)
