import json, os, uuid
from contextlib import asynccontextmanager
from typing import Literal
from fastapi import FastAPI
from pydantic import BaseModel, Field
from aiokafka import AIOKafkaProducer
class Msg(BaseModel):
    role: Literal["user", "system", "assistant"]; content: str = Field(min_length=1)
class Job(BaseModel):
    session_id: str = Field(min_length=1, max_length=128); kind: Literal["chat", "analysis"]; model: str = Field(min_length=1)
    messages: list[Msg] = Field(min_length=1); max_tokens: int = Field(ge=0, le=8192); stream: bool = False
@asynccontextmanager
async def life(app):
    app.p = AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA_BROKERS"], acks="all", enable_idempotence=True, linger_ms=int(os.environ.get("LINGER", "0")))
    await app.p.start(); yield; await app.p.stop()
app = FastAPI(lifespan=life)
@app.post("/jobs", status_code=202)
async def post(j: Job):
    d = j.model_dump(); d["job_id"] = str(uuid.uuid4())
    await app.p.send_and_wait(os.environ["TOPIC"], json.dumps(d).encode(), key=j.session_id.encode())
    return {"job_id": d["job_id"], "status": "queued"}
