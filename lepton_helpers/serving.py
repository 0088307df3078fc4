"""Serve a trained LiteRT model over HTTP; lesson 05 measures it and breaks it on purpose.

    python -m lepton_helpers.serving MODEL.tflite --port 8000

``POST /predict`` answers images, ``GET /model``, ``/health`` and ``/metrics`` say what runs and how it goes. The process
holds no TensorFlow. Beside MODEL.tflite stands MODEL.json, its *card* (`write_card`): with it, a truncated or swapped
model file is found before the first request and not by a user. Each answer and each line of the log says which model
it comes from (``X-Model``, such as 1.0.0+3f2a9c1d0b7e) and which request it belongs to (``X-Request-ID``).
"""

import argparse
import asyncio
import contextlib
import datetime
import functools
import hashlib
import hmac
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Annotated, Literal

import numpy as np
from annotated_types import Len
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from pydantic import BaseModel, FailFast, Field, TypeAdapter, ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from lepton_helpers import course

PIXELS, MOST_IMAGES = 784, 64  # numbers per image; images per request
MOST_BYTES = 2_000_000  # of a request's body: 64 images whose numbers have 17 digits take 1 MB
MOST_HELD = 20_000_000  # bytes of all bodies at once, such as 100 times 64 images of whole numbers; memory has an end
MOST_LETTERS = 100  # of any text of a client in an answer or in the log
MOST_SECONDS = 10  # to receive a body, and to finish what is in flight when the service stops
FORM = f'{{"images": [[{PIXELS} numbers from 0 to 255], ...]}} with 1 to {MOST_IMAGES} images'
SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)
CONFIDENCES = (0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)  # both: upper edges of histograms
TOKEN_VARIABLE = "LEPTON_SERVING_TOKEN"
WORD = re.compile(r"^[\w.-]{1,64}$", re.ASCII)  # a version, or a request's id

Pixel = Annotated[float, Field(ge=0, le=255, allow_inf_nan=False, strict=True)]
Image = Annotated[list[Pixel], Len(PIXELS, PIXELS), FailFast()]
Images = Annotated[list[Image], Len(1, MOST_IMAGES), FailFast()]
# A dict, because a model knows no FailFast: it would build an error for each of 240,000 unknown keys.
EXAMPLE = Field(description="Images row by row, from 0 (paper) to 255 (ink).", examples=[{"images": [[0] * PIXELS]}])
REQUEST = TypeAdapter(Annotated[dict[Literal["images"], Images], Len(1), FailFast(), EXAMPLE])


class PredictResponse(BaseModel):
    """Which model answers; for each image, in the order sent: the probability of the second class, the likelier class."""

    model: str
    probabilities: list[float]
    labels: list[str]


def write_card(model_path, classes, training_arrays, version="1.0.0"):
    """Write the model's card beside it: version, SHA-256, that of the arrays it was trained on, and its two classes.

    Args:
        model_path: a LiteRT file that takes (1, 784) float32 pixels and gives (1, 1), the probability of ``classes[1]``.
        classes: the two names, such as ``["even", "odd"]``.
        training_arrays: the NumPy arrays it was trained on (images, labels).
        version: 1 to 64 letters, digits, points, hyphens or underscores.
    """
    digest = hashlib.sha256(b"".join(array.tobytes() for array in training_arrays))
    card = {
        "version": version,
        "model_sha256": hashlib.sha256(pathlib.Path(model_path).read_bytes()).hexdigest(),
        "training_data_sha256": digest.hexdigest(),
        "classes": list(classes),
    }
    pathlib.Path(model_path).with_suffix(".json").write_text(json.dumps(card, indent=1))


def read_model(model_path):
    """Read a model and its card, once; return what `load_model` takes: path, content, and the card as a dict.

    Raises:
        ValueError: file or card is missing, or they do not belong together.
    """
    path = pathlib.Path(model_path)
    try:
        content = path.read_bytes()
        card = json.loads(path.with_suffix(".json").read_bytes())
        expected = card["model_sha256"], card["training_data_sha256"], card["classes"][1]
        card["version"] = WORD.fullmatch(card["version"])[0]
    except OSError as error:
        raise ValueError(f"{error.filename} cannot be read ({error.strerror}); give the path of a model.") from None
    except (ValueError, KeyError, IndexError, TypeError):
        raise ValueError(f"{path.with_suffix('.json')} is not a model's card; write it anew with write_card.") from None
    if hashlib.sha256(content).hexdigest() != expected[0]:
        raise ValueError(f"{path} is not the model that its card describes (truncated or swapped); export it again.")
    return path, content, card


def load_model(path, content):
    """Return a function from float32 pixels of shape (n, 784) to probabilities of shape (n,).

    Raises:
        ValueError: it is not a LiteRT model, or one of another shape.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
        (inputs,), (outputs,) = interpreter.get_input_details(), interpreter.get_output_details()
    except (ValueError, RuntimeError):
        raise ValueError(f"{path} is not a LiteRT model of one input and one output; export it again.") from None
    if inputs["shape"].tolist() != [1, PIXELS] or outputs["shape"].tolist() != [1, 1] or inputs["dtype"] != np.float32:
        raise ValueError(f"{path} does not take (1, {PIXELS}) float32 numbers and give (1, 1); export another model.")
    set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def predict(images):
        probabilities = np.empty(len(images), np.float32)
        for i in range(len(images)):  # one by one: a model of this size gains little from batches
            set_tensor(inputs["index"], images[i : i + 1])
            invoke()
            probabilities[i] = get_tensor(outputs["index"])[0, 0]
        return probabilities

    return predict


def sentence(error):
    """Say in one sentence what is wrong with a request's body; ``error`` is pydantic's."""
    first = error.errors(include_url=False, include_input=False)[0]
    message = first["msg"][0].lower() + first["msg"][1:].replace(" after validation", "")
    if first["type"] == "json_invalid":
        return f"The body is not valid JSON: {message.removeprefix('invalid JSON: ')}."
    place = "".join(f"[{part}]" if isinstance(part, int) else part for part in first["loc"] if part != "[key]")
    return f"{repr(place[:MOST_LETTERS])[1:-1] or 'The body'}: {message}; send {FORM}."  # repr: without line breaks


def write_line(**fields):
    """Write one line of JSON in one piece, so that processes share a log; a full disk must not cost the answer."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), to_json(fields) + b"\n")


class Guard:
    """ASGI middleware around every request: token, bytes, time and number are limited; it is counted, timed, logged."""

    def __init__(self, app, predict, token, most_in_flight, registry):
        self.app, self.predict, self.most_in_flight, self.token = app, predict, most_in_flight, token and token.encode()
        self.in_flight = self.held = 0  # requests, and bytes of their bodies
        self.requests = functools.cache(Counter("requests", "Answered.", ["path", "status"], registry=registry).labels)
        seconds = Histogram("request_seconds", "From head to answer.", ["path"], registry=registry, buckets=SECONDS)
        self.seconds = functools.cache(seconds.labels)
        Gauge("requests_in_flight", "Being answered.", registry=registry).set_function(lambda: self.in_flight)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, body, headers = time.perf_counter(), bytearray(), dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request = given if WORD.fullmatch(given) else os.urandom(16).hex()
        # 499: the client left before its answer
        log = {"status": 499, "model": scope["app"].version, "request": request}

        async def note_and_send(message):
            if message["type"] == "http.response.start":
                log["status"] = message["status"]
                named = [(b"x-model", log["model"].encode()), (b"x-request-id", request.encode())]
                message = message | {"headers": [*message["headers"], *named]}
            await send(message)

        self.in_flight += 1
        try:
            answer = self.refusal(scope["path"], headers) or await self.read(body, headers, receive)
            if not answer and scope["path"] == "/predict" and scope["method"] == "POST":
                # Not through FastAPI's routing, which would be a fifth of the whole request.
                answer = self.predict(headers.get(b"content-type", b""), body, log)
            await (answer or self.app)(scope, receive, note_and_send)
        except ClientDisconnect:
            pass
        except Exception:
            log["status"] = 500
            raise
        finally:
            self.in_flight -= 1
            self.held -= len(body)
            seconds, now = time.perf_counter() - start, datetime.datetime.now(datetime.UTC)
            path = scope["path"] if scope["path"] in PATHS else "other"
            self.requests(path, log["status"]).inc()
            self.seconds(path).observe(seconds)
            client = {"method": scope["method"][:MOST_LETTERS], "path": scope["path"][:MOST_LETTERS]}
            write_line(time=now.isoformat(timespec="milliseconds"), **client, ms=round(seconds * 1000, 2), **log)

    def refusal(self, path, headers):
        """Return what a request is answered of which the head says enough, or None."""
        if path == "/health":  # a busy copy is not a dead one
            return None
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if self.token and not (scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), self.token)):
            return NO_TOKEN
        return BUSY if self.in_flight > self.most_in_flight and path != "/metrics" else None

    async def read(self, body, headers, receive):
        """Read the request's body into ``body``, a bytearray; return None, or a refusal."""
        refusal = TOO_LARGE if int(headers.get(b"content-length", 0)) > MOST_BYTES else None
        more = not (refusal and b"expect" in headers)  # such a client asks before it sends
        try:
            async with asyncio.timeout(MOST_SECONDS):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    more = message.get("more_body")
                    # Once refused, what still comes is thrown away: many clients listen only when they have sent all.
                    part = b"" if refusal else message.get("body", b"")
                    body += part
                    self.held += len(part)
                    if not refusal and (len(body) > MOST_BYTES or self.held > MOST_HELD):
                        refusal = TOO_LARGE if len(body) > MOST_BYTES else BUSY
                        self.held -= len(body)
                        body.clear()
        except TimeoutError:
            return refusal or TOO_SLOW
        return refusal


class Refusal(BaseModel):
    """Why a request was not answered, and what to do, in one sentence."""

    detail: str


def refuse(status, text, headers=None):
    return JSONResponse({"detail": text}, status, headers)


def refusals(*statuses):
    """Return how FastAPI describes them."""
    return dict.fromkeys(statuses, {"model": Refusal})


PATHS = {"/predict", "/health", "/model", "/metrics"}
CHALLENGE = {"WWW-Authenticate": "Bearer"}
NO_TOKEN = refuse(401, "This service needs a token: send the header Authorization: Bearer TOKEN.", CHALLENGE)
TOO_SLOW = refuse(408, f"The body did not arrive within {MOST_SECONDS} seconds; send it faster.")
TOO_LARGE = refuse(413, f"The body is over {MOST_BYTES} bytes; send fewer images at a time.")
BUSY = refuse(503, "The service is busy; try again in a second.", {"Retry-After": "1"})


def create_app(model, token=None, most_in_flight=100):
    """Return the service for one model, a FastAPI application.

    Args:
        model: what `read_model` returns.
        token: what clients must send as ``Authorization: Bearer ...``; None lets everyone in.
        most_in_flight: further requests are answered 503.

    Raises:
        ValueError: as `load_model`, or no client could send the token.
    """
    path, content, card = model
    predict_images = load_model(path, content)
    if token is not None:
        token = token.strip()  # a file often ends in a line break
        if not (token and token.isascii() and token.isprintable()):
            raise ValueError(f"{TOKEN_VARIABLE} must be of printable ASCII characters; set another token, or unset it.")
    registry = CollectorRegistry()
    Info("model", "What answers.", registry=registry).info({name: card[name] for name in ("version", "model_sha256")})
    confidence = Histogram("confidence", "Probability of the likelier class.", registry=registry, buckets=CONFIDENCES)
    quiet = {"tracing": False, "metrics": False, "logs": False}
    options = {"telemetry": quiet, "responses": refusals(408, 413, 503), "redirect_slashes": False}
    app = FastAPI(title="Odd or even?", version=f"{card['version']}+{card['model_sha256'][:12]}", **options)

    def predict(content_type, body, log):
        if content_type.partition(b";")[0].strip().lower() != b"application/json":
            return refuse(415, "The body must be JSON; send the header Content-Type: application/json.")
        try:
            images = REQUEST.validate_json(body)["images"]
        except ValidationError as error:
            return refuse(422, sentence(error))
        log["images"] = len(images)
        probabilities = predict_images(np.array(images, np.float32)).tolist()
        for probability in probabilities:
            confidence.observe(max(probability, 1 - probability))
        labels = [card["classes"][probability > 0.5] for probability in probabilities]
        answer = {"model": app.version, "probabilities": probabilities, "labels": labels}
        return Response(to_json(answer), media_type="application/json")

    app.add_middleware(Guard, predict=predict, token=token, most_in_flight=most_in_flight, registry=registry)
    body = {"required": True, "content": {"application/json": {"schema": REQUEST.json_schema()}}}
    head = {"name": "X-Request-ID", "in": "header", "schema": {"type": "string", "pattern": WORD.pattern}}

    @app.post("/predict", responses=refusals(401, 415, 422), openapi_extra={"requestBody": body, "parameters": [head]})
    async def describe_predict() -> PredictResponse:  # the guard answers before it comes to this
        """Probability of the second class, and the likelier class, for each image."""

    @app.get("/health")
    async def health():
        return {"status": "ok"}

    @app.get("/model", responses=refusals(401))
    async def model():
        return {"input_shape": [PIXELS], "most_images": MOST_IMAGES, "process": os.getpid(), **card}

    @app.get("/metrics", responses=refusals(401))
    async def metrics():
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    @app.exception_handler(HTTPException)
    async def explain(request, error):
        method, path = request.method[:MOST_LETTERS], request.scope["raw_path"][:MOST_LETTERS].decode()
        return refuse(error.status_code, f"{method} {path} is not served here; see /docs for what is.", error.headers)

    return app


def command_line(arguments=None):
    """Return what the command line says."""
    parser = argparse.ArgumentParser("python -m lepton_helpers.serving", description="Serve a LiteRT model over HTTP.")
    parser.add_argument("model", help="the .tflite file; its card, .json, stands beside it")
    parser.add_argument("--host", default="127.0.0.1", help=f"other than this machine only with {TOKEN_VARIABLE} set")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one and prints it")
    parser.add_argument("--workers", type=int, default=1, help="processes; each counts its own metrics")
    parser.add_argument("--most-in-flight", type=int, default=100, help="per process; beyond it the answer is 503")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when the process that started it ends")
    given = parser.parse_args(arguments)
    if min(given.workers, given.most_in_flight) < 1:
        parser.error("--workers and --most-in-flight must be 1 or more.")
    return given


def main(arguments=None):
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    class Workers(Multiprocess):
        def terminate_all(self):
            listener.close()  # while it is open here, the system goes on taking connections that nobody answers
            super().terminate_all()

    given, token = command_line(arguments), os.environ.get(TOKEN_VARIABLE)
    if given.host not in ("127.0.0.1", "localhost", "::1") and not token:
        sys.exit(f"Serving beyond this machine needs a token: set {TOKEN_VARIABLE}, or leave --host out.")
    try:
        # Each worker gets this copy: all serve one version, also one that starts again when the files have changed.
        make_app = functools.partial(create_app, read_model(given.model), token, given.most_in_flight)
        app, listener = make_app(), listen(given.host, given.port)
    except ValueError as error:
        sys.exit(str(error))
    except (OSError, OverflowError) as error:
        sys.exit(f"{given.host}, port {given.port}, cannot be used ({error}); take another --port, or 0 for any free.")
    config = uvicorn.Config(
        app if given.workers == 1 else make_app,
        factory=given.workers > 1,
        workers=given.workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=MOST_SECONDS,
        timeout_keep_alive=75,  # longer than clients and load balancers keep an idle connection: they close it, not we
    )
    if given.until_stdin_closes:
        threading.Thread(target=stop_with_stdin, daemon=True).start()
    host = f"[{given.host}]" if ":" in given.host else given.host
    write_line(serving=f"http://{host}:{listener.getsockname()[1]}")
    if given.workers > 1:
        Workers(config, sockets=[listener]).run()
    else:
        uvicorn.Server(config).run(sockets=[listener])


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
    import httpx

    command = [sys.executable, "-m", "lepton_helpers.serving", model_path, "--port", "0", "--until-stdin-closes"]
    environment = course.shielded(os.environ) | {"PYTHONPATH": str(pathlib.Path(__file__).parent.parent)}
    with open(log_path, "ab") as log:
        offset = log.tell()
        files = {"stdin": subprocess.PIPE, "stdout": log, "stderr": subprocess.STDOUT}
        process = subprocess.Popen([*command, *options], env=environment, **files)

    def said():
        return pathlib.Path(log_path).read_bytes()[offset:].decode(errors="replace")

    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.02)
        with contextlib.suppress(httpx.TransportError):
            found = re.search(r'"serving":"([^"]*)"', said())
            # Plain HTTP, never through a proxy: what a user has set for either is not read.
            if found and httpx.get(found[1] + "/health", trust_env=False, verify=False).is_success:
                return process, found[1]
    process.kill()
    raise RuntimeError(f"The service did not start: {said().strip()}")


if __name__ == "__main__":
    main()
