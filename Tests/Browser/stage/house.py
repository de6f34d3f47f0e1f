"""The house that the scenarios play in: every host under localhost, one server, one engine behind.

`<scenario>.localhost` serves that scenario's pages, and forwards `/hg.js`, `/v1/e` and `/r/…` to
the engine as a first-party proxy would. `tap.localhost` forwards everything: the other origin.
What is forwarded is recorded for its site, which the beacon's key names.
"""
import asyncio
import json
import re

import wire
from stage.http import Answer, forward, serve

OWN_PATHS = re.compile(r"^/(hg[\w.-]*\.m?js|v1/e|r/.*)$")
KEY = re.compile(r'"k":"hg_([\w-]+)"')
TAP = "tap.localhost"


class Recording:
    """What went over the wire for one site; owned by the event loop."""

    def __init__(self, judged=True):
        self.judged = judged
        self.pages = {}
        self.accepted = []
        self.refused = []
        self.answers = []
        self.violations = []
        self.bodies = []
        # Statuses to give instead of the engine's: (status, headers), or None to cut the line.
        self.faults = []
        self.gone = False
        self.lines = []

    def events(self, kind=None):
        found = [event for batch in self.accepted for event in batch["e"]]
        return [event for event in found if kind in (None, event["t"])]


class House:
    def __init__(self, engine_port, port=0):
        self.engine_port = engine_port
        self.recordings = {}
        self.server = None
        # Any free port, unless settings made before name one.
        self.port = port

    async def open(self):
        self.server = await asyncio.start_server(
            lambda reader, writer: serve(reader, writer, self.answer), "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self):
        self.server.close()

    def origin(self, host):
        return f"http://{host}:{self.port}"

    async def answer(self, request):
        if request.host == TAP or OWN_PATHS.match(request.path):
            return await self.forwarded(request)
        site = request.host.split(".")[-2] if "." in request.host else ""
        recording = self.recordings.get(site)
        page = recording and recording.pages.get(request.path)
        if page is None:
            return Answer(404, b"nothing here")
        if callable(page):
            page = page(request)
        return page if isinstance(page, Answer) else html(page)

    async def forwarded(self, request):
        if request.path != "/v1/e" or request.method != "POST":
            return await forward(request, self.engine_port)
        site = KEY.search(request.body.decode("utf-8", "replace")[:400])
        recording = self.recordings.get(site.group(1)) if site else None
        if recording is None:
            return await forward(request, self.engine_port)
        return await self.beacon(request, recording)

    async def beacon(self, request, recording):
        batch = self.judged(request, recording)
        recording.lines.append(request)
        if recording.gone or recording.faults:
            fault = None if recording.gone else recording.faults.pop(0)
            recording.refused.append(batch)
            return fault and Answer(fault[0], b"", [*cors(request), *fault[1]])
        answer = await forward(request, self.engine_port)
        recording.answers.append(answer)
        if answer and 200 <= answer.status < 300:
            recording.accepted.append(batch)
            recording.bodies.append(request.body)
        else:
            recording.violations.append(f"the engine says {answer and answer.status}: "
                                        f"{answer and answer.body[:300]!r} to {batch}")
        return answer

    def judged(self, request, recording):
        if recording.judged:
            try:
                return wire.check_batch(request.body, request.header("content-type"))
            except (wire.Violation, ValueError) as error:
                recording.violations.append(f"{error} in {request.body[:400]!r}")
        return json.loads(request.body)


def cors(request):
    return [("Access-Control-Allow-Origin", request.header("origin") or "*"),
            ("Access-Control-Expose-Headers", "Retry-After")]


def html(text, headers=()):
    return Answer(200, text.encode(), [("Content-Type", "text/html; charset=utf-8"), *headers])
