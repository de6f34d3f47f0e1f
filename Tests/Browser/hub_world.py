"""Real events for the Hub: visitors like the SDK's, orders, refusals and hostile strings."""

import json
import time
import urllib.error
import urllib.request

from traffic import BROWSER, Connection
from visits import Visitor

HOSTILE = [
    '<img src=x onerror="window.hostile=1">', '"><script>window.hostile=1</script>',
    "javascript:window.hostile=1", "'-window.hostile=1-'", "<svg/onload=window.hostile=1>",
    "{{constructor.constructor('window.hostile=1')()}}", "</title><iframe srcdoc=x>",
]
FORMULAS = ["=1+1", "+2+2", "-3+3", "@SUM(4)", "\t=5+5", " =6+6", "|7"]
VISITORS = 12
BATCHES = 25
PATIENCE_SECONDS = 30


def fill(addresses):
    """Sends it all, and waits until it can be read."""
    port = int(addresses["ingest"].rsplit(":", 1)[1])
    connection = Connection(port)
    people = [Visitor(seed) for seed in range(VISITORS)]
    for _ in range(BATCHES):
        for person in people:
            connection.post("/v1/e", person.next_batch().body())
    for number, text in enumerate(HOSTILE):
        event = {"id": f"hub-{time.time_ns()}-{number}", "user": text, "consent": 63,
                 "properties": {"value": 10 + number, "currency": "EUR", "note": text}}
        send(addresses, {**event, "name": "purchase"})
        send(addresses, {**event, "id": text, "name": text})
        send(addresses, {"id": text, "nme": text})
        send(addresses, {"id": text, "name": text}, key="hg_nobody")
    for number, text in enumerate(FORMULAS):
        send(addresses, {"id": f"formula-{number}", "user": "formulas", "name": text,
                         "consent": 63})
    wait(lambda: read(addresses, "/api/v1/rejected?limit=1")["items"], "refused events")
    wait(lambda: read(addresses, "/api/v1/visitors?limit=1")["visitors"], "visitors")


def send(addresses, event, key="hg_demo"):
    request = urllib.request.Request(
        f"{addresses['ingest']}/v1/events?k={key}", data=json.dumps(event).encode(),
        headers={"Content-Type": "application/json", "User-Agent": BROWSER})
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        error.close()


def token(addresses):
    """Of whoever runs the engine; nothing where the companion asks for none."""
    file = addresses["folder"] / "companion-token"
    return file.read_text().strip() if file.is_file() else None


def read(addresses, path):
    own = token(addresses)
    request = urllib.request.Request(
        addresses["companion"] + path, headers={"Authorization": f"Bearer {own}"} if own else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def richest_visitor(addresses) -> str:
    """Whose score has the most terms."""
    visitors = read(addresses, "/api/v1/visitors?site=demo&limit=100")["visitors"]
    return max(visitors, key=lambda one: sum(1 for term in one["terms"]
                                             if term["contribution"]))["visitor"]


def wait(condition, what):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError(f"never came: {what}")
