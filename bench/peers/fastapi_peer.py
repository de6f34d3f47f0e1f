"""FastAPI doing with a beacon what many would: see each event id once, write two fields of a hash.

One pipeline, one round trip: SET NX for each event's id, two hash writes for each event. The writes of
a repeat are not held back, since that would need a second round trip; nothing is durable, checked,
scrubbed or scored. All of that is in its favour.
"""
import os

import orjson
from fastapi import FastAPI, Request, Response
from redis.asyncio import Redis

SEEN_SECONDS = 86_400

app = FastAPI()
redis = Redis(unix_socket_path=os.environ["PEER_REDIS"])


@app.post("/v1/e")
async def take(request: Request) -> Response:
    batch = orjson.loads(await request.body())
    visitor, window = f"v:{batch['d']}", batch["w"]
    pipeline = redis.pipeline(transaction=False)
    for event in batch["e"]:
        pipeline.set(f"seen:{window}:{event['n']}", 1, nx=True, ex=SEEN_SECONDS)
        pipeline.hset(visitor, "last", event["t"])
        pipeline.hincrby(visitor, "events", 1)
    await pipeline.execute()
    return Response(status_code=204)
