import pytest
from helpers.fake_deploy import drawn, file_of

from mmreid_ext.deploy.app.routes import schemas

FILE = file_of(drawn(1))


@pytest.mark.parametrize(
    "method, path, names, shape",
    [
        ("POST", "/embed", ["images"], schemas.Embedded),
        ("POST", "/compare", ["a", "b"], schemas.Compared),
        ("POST", "/enroll", ["images"], schemas.Enrolled),
        ("POST", "/search", ["image"], schemas.Searched),
        ("GET", "/gallery", [], schemas.GalleryShown),
        ("GET", "/health", [], schemas.Health),
        ("DELETE", "/image/1", [], schemas.Deleted),
    ],
)
def test_answers_have_the_shape_that_openapi_promises(client, method, path, names, shape):
    client.post("/enroll", files={"images": ("a.png", FILE)}, data={"identity": "anna"})
    files = [(name, ("a.png", FILE)) for name in names]
    sent = client.request(method, path, files=files or None).json()
    assert shape.model_validate(sent, strict=True).model_dump() == sent


@pytest.mark.parametrize(
    "path", ["/embed", "/compare", "/enroll", "/search", "/gallery", "/health"]
)
def test_examples_have_it_too(client, path):
    schema = client.get("/openapi.json").json()
    (operation,) = schema["paths"][path].values()
    content = operation["responses"]["200"]["content"]["application/json"]
    name = content["schema"]["$ref"].rpartition("/")[2]
    shape = getattr(schemas, name)
    assert shape.model_validate(content["example"], strict=True).model_dump() == content["example"]
