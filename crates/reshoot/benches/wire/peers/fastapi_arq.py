"""What most people would write: FastAPI, a check of the key, a model of the body, arq, Redis."""

import os
from contextlib import asynccontextmanager

from arq import create_pool
from arq.connections import RedisSettings
from arq.jobs import Job
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field, HttpUrl

KEY = "Bearer " + os.environ["PEER_KEY"]
BASE = os.environ["PEER_BASE"]


class Body(BaseModel):
    prompt: str = Field(min_length=1, max_length=2500)
    video_url: HttpUrl
    images: list[HttpUrl] = Field(default=[], max_length=4)
    aspect_ratio: str = Field(default="auto", pattern="^(auto|16:9|9:16|1:1)$")
    duration: str = Field(default="5", pattern="^(5|10)$")
    keep_audio: bool = False


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.queue = await create_pool(RedisSettings(port=int(os.environ["PEER_REDIS"])))
    yield
    await app.state.queue.aclose()


app = FastAPI(lifespan=lifespan)


async def caller(authorization: str = Header()):
    if authorization != KEY:
        raise HTTPException(401)


@app.post("/submit", dependencies=[Depends(caller)])
async def submit(body: Body):
    job = await app.state.queue.enqueue_job("generate", body.model_dump(mode="json"))
    return {
        "request_id": job.job_id,
        "status_url": f"{BASE}/requests/{job.job_id}/status",
        "result_url": f"{BASE}/requests/{job.job_id}/result",
    }


@app.get("/requests/{request_id}/status", dependencies=[Depends(caller)])
async def status(request_id: str):
    job = Job(request_id, app.state.queue)
    return {"request_id": request_id, "status": await job.status()}
