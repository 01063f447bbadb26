from mmreid_ext.deploy.app.routes.describe import (
    REASONS,
    errors,
    file_field,
    form,
    success,
    text_field,
)
from mmreid_ext.deploy.app.routes.schemas import Health


def test_every_address_may_refuse():
    assert set(errors(400)) == {400, 401, 403, 503}
    assert all(text.endswith(".") for text, _ in REASONS.values())


def test_forms_say_what_they_need():
    fields = {"a": file_field("a picture"), "b": text_field("b", 3, several=True, kind="integer")}
    body = form(fields, ["a"], raw=True)["requestBody"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["a"] and "image/jpeg" in body["content"]
    assert schema["properties"]["b"]["items"] == {"type": "integer", "example": 3}
    assert file_field("x", several=True)["type"] == "array"


def test_answers_have_a_shape_and_an_example():
    found = success(Health, {"status": "ok"})[200]
    assert found["model"] is Health
    assert found["content"]["application/json"]["example"] == {"status": "ok"}
