"""A service with canned answers, to test its page: every state of it is one assignment away."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import datetime

import cv2
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from helpers.paths import ROOT
from helpers.synthetic_people import shots

PAGE = ROOT / "mmreid_ext" / "deploy" / "app" / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
THRESHOLDS = [
    {"fpr": 0.01, "similarity": 0.55, "tpr": 0.9, "dataset": "drawn"},
    {"fpr": 0.001, "similarity": 0.7, "tpr": 0.62, "dataset": "drawn"},
    {"fpr": 0.0001, "similarity": None, "tpr": None, "dataset": "drawn"},
]


def drawn_jpeg(pid: int) -> bytes:
    """One picture of a drawn person, 128 x 64."""
    return cv2.imencode(".jpg", shots(0, pid, 1)[0])[1].tobytes()


@dataclass
class Row:
    id: int
    identity: str | None
    camera: str | None
    time: str | None
    similarity: float
    person: int | None = 0  # which drawn person its thumbnail shows; None: no thumbnail kept


def people() -> list[Row]:
    """Four pictures of anna, two of ben and one without name, from two cameras."""
    names = ["anna", "anna", "ben", "anna", None, "anna", "ben"]
    alike = [0.91, 0.83, 0.72, 0.66, 0.52, 0.4, 0.12]
    return [
        Row(
            id=10 + number,
            identity=name,
            camera=("gate", "yard")[number % 2],
            time=f"2026-03-0{1 + number}T09:30:00Z",
            similarity=similarity,
            person={"anna": 1, "ben": 2, None: 3}[name],
        )
        for number, (name, similarity) in enumerate(zip(names, alike, strict=True))
    ]


@dataclass
class FakeService:
    """State of the service, and what it was asked.

    Attributes:
        key: Only answer with this key.
        can_write: Whether the gallery takes changes.
        trouble: Status and body of every answer of a path, until it is taken out.
        wait: Seconds before a search is answered, one per search; none left: at once.
        asked: Path and form of every question, multipart fields as lists of text.
    """

    rows: list[Row] = field(default_factory=people)
    thresholds: list[dict] = field(default_factory=lambda: list(THRESHOLDS))
    key: str = ""
    can_write: bool = True
    trouble: dict[str, tuple[int, object]] = field(default_factory=dict)
    wait: list[float] = field(default_factory=list)
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def reset(self) -> None:
        """Be new."""
        self.__dict__.update(FakeService().__dict__)

    def forms(self, path: str) -> list[dict[str, list[str]]]:
        """Return the forms that a path was sent."""
        return [form for asked, form in self.asked if asked == path]

    def counts(self, name: str) -> list[dict]:
        values = [getattr(row, name) for row in self.rows]
        return [{name: value, "count": values.count(value)} for value in dict.fromkeys(values)]

    def gallery(self) -> dict:
        return {
            "rows": len(self.rows),
            "people": self.counts("identity"),
            "cameras": self.counts("camera"),
            "model": {"name": "drawn.onnx", "size": 512},
            "thresholds": self.thresholds,
            "can_write": self.can_write,
        }

    def search(self, form: dict[str, list[str]]) -> dict:
        """Answer by the filters alone: similarities are canned."""
        rows = self.rows
        if "camera" in form:
            rows = [row for row in rows if row.camera in form["camera"]]
        if "not_camera" in form:
            rows = [row for row in rows if row.camera not in form["not_camera"]]
        if "identity" in form:
            rows = [row for row in rows if row.identity in form["identity"]]
        since, until = (_moment(form[name][0]) if name in form else None for name in BOUNDS)
        rows = [row for row in rows if since is None or _moment(row.time) >= since]
        rows = [row for row in rows if until is None or _moment(row.time) <= until]
        if form["rerank"] == ["true"]:
            rows = rows[1:2] + rows[:1] + rows[2:]
        return {
            "matches": [self.match(row) for row in rows[: int(form["topk"][0])]],
            "threshold": {"fpr": 0.001, "similarity": 0.7} if self.thresholds else None,
        }

    def match(self, row: Row) -> dict:
        return {
            "id": row.id,
            "similarity": row.similarity,
            "identity": row.identity,
            "camera": row.camera,
            "time": row.time,
            "source": None,
            "same": row.similarity >= 0.7 if self.thresholds else None,
            "thumbnail": None if row.person is None else f"/thumbnail/{row.id}",
        }

    def delete(self, name: str, value: object) -> dict:
        kept = [row for row in self.rows if getattr(row, name) != value]
        deleted, self.rows = len(self.rows) - len(kept), kept
        return {"deleted": deleted}

    def enroll(self, form: dict[str, list[str]]) -> dict:
        number = 1 + max((row.id for row in self.rows), default=0)
        camera, time = (form.get(name, [None])[0] for name in ("camera", "time"))
        if any(row.identity == form["identity"][0] and row.time == time for row in self.rows):
            return {"added": 0, "known": 1, "ids": [number - 1], "conflicts": []}
        self.rows.append(Row(number, form["identity"][0], camera, time, 0.99))
        return {"added": 1, "known": 0, "ids": [number], "conflicts": []}


BOUNDS = ("since", "until")


def _moment(text: str | None) -> float:
    return datetime.fromisoformat(
        (text or "1970-01-01T00:00:00Z").replace("Z", "+00:00")
    ).timestamp()


def fake_app(service: FakeService) -> FastAPI:
    app = FastAPI()
    jpegs = {pid: drawn_jpeg(pid) for pid in range(4)}

    @app.middleware("http")
    async def guard(request: Request, answer):
        path = request.url.path
        page = path == "/" or path.startswith("/page/")
        if not page:
            allowed = f"Bearer {service.key}"
            if service.key and request.headers.get("authorization") != allowed:
                return JSONResponse({"detail": "A key is needed."}, 401)
            for start, (status, body) in service.trouble.items():
                if path.startswith(start):
                    service.asked.append((path, {}))
                    made = isinstance(body, str)
                    return Response(body, status) if made else JSONResponse(body, status)
        response = await answer(request)
        if page:
            response.headers["Content-Security-Policy"] = POLICY
            response.headers["Cache-Control"] = "no-cache"
        return response

    async def read(request: Request) -> dict[str, list[str]]:
        form: dict[str, list[str]] = {}
        for name, value in (await request.form()).multi_items():
            text = value if isinstance(value, str) else f"{len(await value.read())} bytes"
            form.setdefault(name, []).append(text)
        service.asked.append((request.url.path, form))
        return form

    @app.get("/")
    async def index():
        return FileResponse(PAGE / "index.html")

    @app.get("/page/{name}")
    async def part(name: str):
        return FileResponse(PAGE / name)

    @app.get("/gallery")
    async def gallery():
        return service.gallery()

    @app.get("/thumbnail/{number}")
    async def thumbnail(number: int):
        row = next((row for row in service.rows if row.id == number), None)
        if row is None or row.person is None:
            return JSONResponse({"detail": "There is no such picture."}, 404)
        return Response(jpegs[row.person], media_type="image/jpeg")

    @app.post("/search")
    async def search(request: Request):
        form = await read(request)
        answer = service.search(form)
        await asyncio.sleep(service.wait.pop(0) if service.wait else 0)
        return answer

    @app.post("/enroll")
    async def enroll(request: Request):
        return service.enroll(await read(request))

    @app.delete("/person/{identity:path}")
    async def person(identity: str):
        service.asked.append((f"/person/{identity}", {}))
        return service.delete("identity", identity)

    @app.delete("/image/{number}")
    async def image(number: int):
        service.asked.append((f"/image/{number}", {}))
        return service.delete("id", number)

    return app


class Served:
    """An application on a free port of this machine, in a thread, while the context lasts."""

    def __init__(self, app) -> None:
        self.server = uvicorn.Server(
            uvicorn.Config(app, port=0, log_level="warning", lifespan="on")
        )
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> str:
        """Return the address."""
        self.thread.start()
        while not self.server.started:
            if not self.thread.is_alive():
                raise RuntimeError("The server didn't start.")
            self.thread.join(0.02)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(5)
