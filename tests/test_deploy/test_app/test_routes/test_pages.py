import re

import pytest

from mmreid_ext.deploy.app.routes.pages import FOLDER, page_files


def test_the_page_and_its_files_are_served(client):
    index = client.get("/")
    assert index.status_code == 200 and index.headers["content-type"].startswith("text/html")
    named = re.findall(r'(?:src|href)="/?(page/[^"]+)"', index.text)
    assert named
    for name in named:
        answer = client.get(f"/{name}")
        assert answer.status_code == 200 and answer.content == (FOLDER.parent / name).read_bytes()
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/page/none.js", "/page/..%2fsettings.py", "/page/%2fetc%2fpasswd", "/page/", "/page"]
)
def test_nothing_else_is_served(client, path):
    assert client.get(path).status_code == 404


def test_only_files_of_a_page_are_read(tmp_path):
    (tmp_path / "a.html").write_text("x")
    (tmp_path / "secret.txt").write_text("x")
    assert page_files(tmp_path) == {"a.html": (b"x", "text/html; charset=utf-8")}
    assert page_files(tmp_path / "none") == {}


def test_the_reference_needs_no_other_server(client):
    page = client.get("/docs").text
    assert "POST /search" in page and "<script" not in page and "//cdn" not in page
    assert client.get("/docs.css").headers["content-type"].startswith("text/css")


def test_openapi_has_an_example_of_each_answer(client):
    schema = client.get("/openapi.json").json()
    assert set(schema["paths"]) == {
        "/embed",
        "/compare",
        "/search",
        "/enroll",
        "/person/{identity}",
        "/image/{image}",
        "/gallery",
        "/thumbnail/{image}",
        "/health",
        "/metrics",
    }
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                content = response["content"]
                if "application/json" in content:
                    assert "example" in content["application/json"], (path, status)
