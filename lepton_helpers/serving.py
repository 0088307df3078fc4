"""Serve a trained LiteRT model over HTTP; lesson 05 measures it and breaks it on purpose.

    python -m lepton_helpers.serving MODEL.tflite --port 8000

``POST /predict`` answers images, ``GET /model``, ``/health`` and ``/metrics`` say what runs and how it goes. The process
holds no TensorFlow. Beside MODEL.tflite stands MODEL.json, its *card* (`write_card`): with it, a truncated or swapped
model file is found before the first request and not by a user.
"""

import argparse
import asyncio
import contextlib
import datetime
import functools
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Annotated

import numpy as np
from annotated_types import Len
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError
from starlette.exceptions import HTTPException

from lepton_helpers import course

PIXELS, MOST_IMAGES = 784, 64  # numbers per image; images per request
MOST_BYTES = 2_000_000  # of a request's body: 64 images whose numbers have 17 digits take 1 MB
MOST_SECONDS = 10  # to receive a body, and to finish what is in flight when the service stops
FORM = f'{{"images": [[{PIXELS} numbers from 0 to 255], ...]}} with 1 to {MOST_IMAGES} images'
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TOKEN_VARIABLE, SETTINGS_VARIABLE = "LEPTON_SERVING_TOKEN", "LEPTON_SERVING_SETTINGS"

Pixel = Annotated[float, Field(ge=0, le=255, allow_inf_nan=False, strict=True)]
Image = Annotated[list[Pixel], Len(PIXELS, PIXELS), FailFast()]


class PredictRequest(BaseModel):
    """Images row by row, 784 numbers each, from 0 (paper) to 255 (ink)."""

    model_config = ConfigDict(extra="forbid")
    images: Annotated[list[Image], Len(1, MOST_IMAGES), FailFast()]


class PredictResponse(BaseModel):
    """For each image, in the order sent: the probability of the second class, and the likelier class."""

    probabilities: list[float]
    labels: list[str]


def card_path(model_path):
    return pathlib.Path(model_path).with_suffix(".json")


def write_card(model_path, classes, training_arrays):
    """Write the model's card beside it: its SHA-256, that of the arrays it was trained on, and its two classes.

    Args:
        model_path: a LiteRT file that takes (1, 784) float32 pixels and gives (1, 1), the probability of ``classes[1]``.
        classes: the two names, such as ``["even", "odd"]``.
        training_arrays: the NumPy arrays it was trained on (images, labels).
    """
    digest = hashlib.sha256()
    for array in training_arrays:
        digest.update(np.ascontiguousarray(array))
    card = {
        "model_sha256": hashlib.sha256(pathlib.Path(model_path).read_bytes()).hexdigest(),
        "training_data_sha256": digest.hexdigest(),
        "classes": list(classes),
    }
    card_path(model_path).write_text(json.dumps(card, indent=1))


def load_model(model_path):
    """Read a model and its card, once and read-only.

    Returns:
        predict: a function from float32 pixels of shape (n, 784) to probabilities of shape (n,).
        card: the card's content, a dict.

    Raises:
        ValueError: file or card is missing, they do not belong together, or the model has another shape.
    """
    from ai_edge_litert.interpreter import Interpreter

    path = pathlib.Path(model_path)
    try:
        content = path.read_bytes()
        card = json.loads(card_path(path).read_bytes())
        expected = card["model_sha256"], card["training_data_sha256"], card["classes"][1]
    except OSError as error:
        raise ValueError(f"{error.filename} cannot be read ({error.strerror}); give the path of a model.") from None
    except (ValueError, KeyError, IndexError, TypeError):
        raise ValueError(f"{card_path(path)} is not a model's card; write it anew with write_card.") from None
    if hashlib.sha256(content).hexdigest() != expected[0]:
        raise ValueError(f"{path} is not the model that its card describes (truncated or swapped); export it again.")
    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
        (inputs,), (outputs,) = interpreter.get_input_details(), interpreter.get_output_details()
    except (ValueError, RuntimeError):
        raise ValueError(f"{path} is not a LiteRT model of one input and one output; export it again.") from None
    if inputs["shape"].tolist() != [1, PIXELS] or outputs["shape"].tolist() != [1, 1] or inputs["dtype"] != np.float32:
        raise ValueError(f"{path} does not take (1, {PIXELS}) float32 numbers and give (1, 1); export another model.")
    set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor
    source, target = inputs["index"], outputs["index"]

    def predict(images):
        probabilities = np.empty(len(images), np.float32)
        for i in range(len(images)):  # one by one: a model of this size gains little from batches
            set_tensor(source, images[i : i + 1])
            invoke()
            probabilities[i] = get_tensor(target)[0, 0]
        return probabilities

    return predict, card


def sentence(error):
    """Say in one sentence what is wrong with a request's body; ``error`` is pydantic's."""
    first = error.errors(include_url=False, include_input=False)[0]
    message = first["msg"][0].lower() + first["msg"][1:]
    if first["type"] == "json_invalid":
        return f"The body is not valid JSON: {message.removeprefix('invalid JSON: ')}."
    place = "".join(f"[{part}]" if isinstance(part, int) else part for part in first["loc"])
    return f"{place or 'The body'}: {message}; send {FORM}."


class Guard:
    """ASGI middleware around every request: token, sizes, time and number are limited; it is counted, timed and logged."""

    def __init__(self, app, predict, token, most_in_flight, registry):
        self.app, self.predict, self.token, self.most_in_flight, self.in_flight = app, predict, token, most_in_flight, 0
        labels = {"labelnames": ("path", "status"), "registry": registry}
        self.requests = functools.cache(Counter("requests", "Requests answered.", **labels).labels)
        seconds = Histogram(
            "request_seconds",
            "Seconds from the request's head to its answer.",
            ["path"],
            registry=registry,
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
        )
        self.seconds = functools.cache(seconds.labels)
        current = Gauge("requests_in_flight", "Requests being answered.", registry=registry)
        current.set_function(lambda: self.in_flight)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, log = time.perf_counter(), {"status": 499}  # 499: the client left before its answer

        async def note_and_send(message):
            if message["type"] == "http.response.start":
                log["status"] = message["status"]
            await send(message)

        self.in_flight += 1
        try:
            headers = dict(scope["headers"])
            body, answer = await self.admit(scope["path"], headers, receive)
            if body is not None and scope["path"] == "/predict" and scope["method"] == "POST":
                # Not through FastAPI's routing, which would be a fifth of the whole request.
                answer = self.predict(headers.get(b"content-type", b""), body, log)
            if answer:
                await answer(scope, receive, note_and_send)
            elif body is not None:
                await self.app(scope, replay(body, receive), note_and_send)
        except Exception:
            log["status"] = 500
            raise
        finally:
            self.in_flight -= 1
            self.record(scope, log, time.perf_counter() - start)

    async def admit(self, path, headers, receive):
        """Return (body, None), or (None, a refusal), or (None, None) if the client has gone."""
        if path != "/health" and not self.authorized(headers.get(b"authorization", b"")):
            return None, refuse(401, "This service needs a token: send the header Authorization: Bearer TOKEN.")
        if self.in_flight > self.most_in_flight and path not in (
            "/health",
            "/metrics",
        ):  # a busy copy is not a dead one
            return None, refuse(503, "The service is busy; try again in a second.", {"Retry-After": "1"})
        if int(headers.get(b"content-length", 0)) > MOST_BYTES:
            return None, await self.too_large(headers, receive)
        parts, size = [], 0
        try:
            async with asyncio.timeout(MOST_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None, None
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > MOST_BYTES:
                        return None, await self.too_large(headers, receive)
                    if not message.get("more_body"):
                        return b"".join(parts), None
        except TimeoutError:
            return None, refuse(408, f"The body did not arrive within {MOST_SECONDS} seconds; send it faster.")

    async def too_large(self, headers, receive):
        """Return the refusal; first throw away for a while what still comes, because many clients listen only then."""
        if b"expect" not in headers:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MOST_SECONDS):
                    while (message := await receive()).get("more_body"):
                        del message
        return refuse(413, f"The body is over {MOST_BYTES} bytes; send fewer images at a time.")

    def authorized(self, header):
        return self.token is None or hmac.compare_digest(header, b"Bearer " + self.token.encode())

    def record(self, scope, log, seconds):
        path = scope["path"] if scope["path"] in PATHS else "other"
        self.requests(path, log["status"]).inc()
        self.seconds(path).observe(seconds)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "method": scope["method"], "path": scope["path"][:100], "ms": round(seconds * 1000, 2)}
        print(json.dumps(line | log), flush=True)


PATHS = {"/predict", "/health", "/model", "/metrics"}


def refuse(status, text, headers=None):
    return JSONResponse({"detail": text}, status, headers)


def replay(body, receive):
    """Return an ASGI ``receive`` that hands out a body that was read already."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again():
        return messages.pop() if messages else await receive()

    return receive_again


def create_app(model_path, token=None, most_in_flight=100):
    """Return the service for one model, a FastAPI application.

    Args:
        model_path: a LiteRT file with its card beside it.
        token: what clients must send as ``Authorization: Bearer ...``; None lets everyone in.
        most_in_flight: further requests are answered 503.

    Raises:
        ValueError: as `load_model`.
    """
    predict_images, card = load_model(model_path)
    registry = CollectorRegistry()
    confidence = Histogram(
        "confidence",
        "Probability of the likelier class.",
        registry=registry,
        buckets=(0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1),
    )
    quiet = {"tracing": False, "metrics": False, "logs": False}
    app = FastAPI(title="Odd or even?", version=card["model_sha256"][:12], telemetry=quiet)

    def predict(content_type, body, log):
        if content_type.partition(b";")[0].strip().lower() != b"application/json":
            return refuse(415, "The body must be JSON; send the header Content-Type: application/json.")
        try:
            images = PredictRequest.model_validate_json(body).images
        except ValidationError as error:
            return refuse(422, sentence(error))
        log["images"] = len(images)
        probabilities = predict_images(np.array(images, np.float32)).tolist()
        for probability in probabilities:
            confidence.observe(max(probability, 1 - probability))
        labels = [card["classes"][probability > 0.5] for probability in probabilities]
        return Response(json.dumps({"probabilities": probabilities, "labels": labels}), media_type="application/json")

    app.add_middleware(Guard, predict=predict, token=token, most_in_flight=most_in_flight, registry=registry)
    schema = {"required": True, "content": {"application/json": {"schema": PredictRequest.model_json_schema()}}}

    @app.post("/predict", response_model=PredictResponse, openapi_extra={"requestBody": schema})
    async def describe_predict():  # the guard answers before it comes to this
        """Probability of the second class, and the likelier class, for each image."""

    @app.get("/health")
    async def health():
        return {"status": "ok"}

    @app.get("/model")
    async def model():
        return {"input_shape": [PIXELS], "most_images": MOST_IMAGES, "process": os.getpid(), **card}

    @app.get("/metrics")
    async def metrics():
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    @app.exception_handler(HTTPException)
    async def explain(request, error):
        known = f"{request.method} {request.url.path} is not served here; see /docs for what is."
        return refuse(error.status_code, known, error.headers)

    return app


def app_from_settings():
    """Return the app that `main` describes in the environment: what each of several worker processes calls."""
    settings = json.loads(os.environ[SETTINGS_VARIABLE])
    return create_app(token=os.environ.get(TOKEN_VARIABLE), **settings)


def command_line(arguments=None):
    """Return what the command line says."""
    parser = argparse.ArgumentParser("python -m lepton_helpers.serving", description="Serve a LiteRT model over HTTP.")
    parser.add_argument("model", help="the .tflite file; its card, .json, stands beside it")
    parser.add_argument("--host", default="127.0.0.1", help=f"other than this machine only with {TOKEN_VARIABLE} set")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one and prints it")
    parser.add_argument("--workers", type=int, default=1, help="processes; each counts its own metrics")
    parser.add_argument("--most-in-flight", type=int, default=100, help="per process; beyond it the answer is 503")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when the process that started it ends")
    return parser.parse_args(arguments)


def main(arguments=None):
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    given = command_line(arguments)
    if given.host not in LOOPBACK and not os.environ.get(TOKEN_VARIABLE):
        sys.exit(f"Serving beyond this machine needs a token: set {TOKEN_VARIABLE}, or leave --host out.")
    settings = {"model_path": given.model, "most_in_flight": given.most_in_flight}
    os.environ[SETTINGS_VARIABLE] = json.dumps(settings)
    try:
        app = create_app(token=os.environ.get(TOKEN_VARIABLE), **settings)
        listener = listen(given.host, given.port)
    except ValueError as error:
        sys.exit(str(error))
    except (OSError, OverflowError) as error:
        sys.exit(
            f"{given.host}, port {given.port}, cannot be used ({error}); choose another --port, or 0 for a free one."
        )
    config = uvicorn.Config(
        app if given.workers == 1 else "lepton_helpers.serving:app_from_settings",
        factory=given.workers > 1,
        workers=given.workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=MOST_SECONDS,
        timeout_keep_alive=75,  # longer than clients and load balancers keep an idle connection: they close it, not we
    )
    server = uvicorn.Server(config)
    if given.until_stdin_closes:
        threading.Thread(target=stop_with_stdin, daemon=True).start()
    print(json.dumps({"serving": f"http://{given.host}:{listener.getsockname()[1]}"}), flush=True)
    if given.workers > 1:
        Multiprocess(config, sockets=[listener]).run()
    else:
        server.run(sockets=[listener])


def listen(host, port):
    """Return a listening socket. It names TCP as its protocol, because asyncio sends small answers at once only then."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, os.name != "nt")
    listener.bind((host, port))
    listener.listen(2048)
    return listener


def stop_with_stdin():
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def start(model_path, log_path, *options):
    """Start the service as a process of its own on a free port of this machine, and wait until it answers.

    It stops with ``process.terminate()``, and in any case when the process that started it ends.

    Args:
        model_path: as for `create_app`.
        log_path: the file that takes its log, one JSON line per request.
        options: more words for its command line.

    Returns:
        process: a ``subprocess.Popen``.
        url: its address, such as ``"http://127.0.0.1:40123"``.

    Raises:
        RuntimeError: it did not start; the text is what it said.
    """
    command = [sys.executable, "-m", "lepton_helpers.serving", str(model_path), "--port", "0", "--until-stdin-closes"]
    environment = course.shielded(os.environ) | {"PYTHONPATH": str(pathlib.Path(__file__).parent.parent)}
    with open(log_path, "ab") as log:
        offset = log.tell()
        process = subprocess.Popen(
            [*command, *options], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, env=environment
        )
    url, end = None, time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.02)
        text = pathlib.Path(log_path).read_bytes()[offset:].decode(errors="replace")
        url = url or next(
            (json.loads(line)["serving"] for line in text.splitlines() if line.startswith('{"serving"')), None
        )
        with contextlib.suppress(OSError, http.client.HTTPException):
            if url:
                connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)  # never through a proxy
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return process, url
    process.kill()
    text = pathlib.Path(log_path).read_bytes()[offset:].decode(errors="replace")
    raise RuntimeError(f"The service did not start: {text.strip()}")


if __name__ == "__main__":
    main()
