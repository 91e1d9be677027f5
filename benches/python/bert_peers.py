"""Forward passes of the same weights by PyTorch (eager and fused attention) and onnxruntime, on command.

usage: bert_peers.py MODEL_FOLDER IDS.json
IDS.json holds rows of token ids, all of one length. Each line on stdin is `PEER THREADS BATCH SECONDS`; each answer on stdout is
`SENTENCES SECONDS SCORE SCORE ...`, the scores being those of the first row. Needs torch, transformers, safetensors,
onnxruntime, onnx.
"""
import json
import os
import sys
import tempfile
import time

import numpy
import onnxruntime
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForSequenceClassification

folder, rows = sys.argv[1], json.load(open(sys.argv[2]))
ids = torch.tensor(rows, dtype=torch.int64)
mask = torch.ones_like(ids)


def load(attention):
    config = AutoConfig.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation=attention)
    model.load_state_dict(load_file(os.path.join(folder, "model.safetensors")))
    return model.eval()


models = {"eager": load("eager"), "sdpa": load("sdpa")}
scratch = tempfile.TemporaryDirectory()
graph = os.path.join(scratch.name, "model.onnx")
axes = {0: "texts", 1: "tokens"}
torch.onnx.export(
    models["eager"], (ids[:2], mask[:2]), graph, input_names=["ids", "mask"], output_names=["scores"],
    dynamic_axes={"ids": axes, "mask": axes, "scores": {0: "texts"}}, opset_version=17,
)
sessions = {}


def session(threads):
    if threads not in sessions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # spinning threads of an idle session would take the cores from the others
        options.add_session_config_entry("session.intra_op.allow_spinning", "0" if threads == 1 else "1")
        options.add_session_config_entry("session.force_spinning_stop", "1")
        sessions[threads] = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return sessions[threads]


def forward(peer, threads):
    if peer == "onnxruntime":
        run = session(threads)
        return lambda a, b: run.run(None, {"ids": a.numpy(), "mask": b.numpy()})[0]
    torch.set_num_threads(threads)
    model = models[peer]
    return lambda a, b: model(input_ids=a, attention_mask=b).logits.numpy()


print("ready", flush=True)
for line in sys.stdin:
    peer, threads, batch, seconds = line.split()
    run, batch, seconds = forward(peer, int(threads)), int(batch), float(seconds)
    done, first = 0, None
    with torch.inference_mode():
        start = time.perf_counter()
        while (spent := time.perf_counter() - start) < seconds:
            at = done % (len(rows) - batch + 1)
            scores = run(ids[at:at + batch], mask[at:at + batch])
            if at == 0 and first is None:
                first = numpy.asarray(scores)[0]
            done += batch
    print(done, spent, *(f"{score:.6f}" for score in first), flush=True)
