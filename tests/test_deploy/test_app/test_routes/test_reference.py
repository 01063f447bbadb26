from mmreid_ext.deploy.app.routes.reference import STYLE, reference_page


def test_what_a_schema_says_is_shown_and_never_run():
    field = {"type": "string", "description": "a <b>", "example": "x"}
    body = {"multipart/form-data": {"schema": {"properties": {"t": field}, "required": ["t"]}}}
    operation = {
        "summary": "Search <script>",
        "requestBody": {"content": body},
        "responses": {
            "200": {
                "description": "ok",
                "content": {"application/json": {"example": {"name": "<i>"}}},
            }
        },
    }
    page = reference_page({"info": {"title": "T & U"}, "paths": {"/a": {"post": operation}}})
    assert "<h1>T &amp; U</h1>" in page and "<h2>POST /a</h2>" in page
    assert "<td>a &lt;b&gt;, needed</td><td>x</td>" in page
    assert "<script" not in page and "&lt;i&gt;" in page


def test_the_style_is_there():
    assert STYLE.is_file()
