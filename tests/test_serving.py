"""The service of lesson 05 as a real process: right answers, clear refusals, and nothing lost under load or on its end."""

import asyncio
import contextlib
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import string
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import hypothesis
import hypothesis.strategies as st
import numpy as np
import psutil
import pytest

from lepton_helpers import data, serving

JSON = {"Content-Type": "application/json"}
MOST_MEGABYTES = 120
MANIFEST = pathlib.Path(__file__).resolve().parent.parent / "deploy/service.yaml"
ALLOWED_MEBIBYTES = int(re.search(r"limits: .*memory: (\d+)Mi", MANIFEST.read_text())[1])
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc, or writes to /dev/full")


@pytest.fixture(scope="module")
def images():
    return data.load_mnist_5k()[0].reshape(-1, 784)[::20]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a trained model and its card, a second model beside it, and one of another shape."""
    folder = tmp_path_factory.mktemp("models")
    train = f"""
import keras, numpy as np
from lepton_helpers import data, serving
keras.utils.set_random_seed(0)
images, digits = data.load_mnist_5k()
x, y = images.reshape(-1, 784).astype("float32"), (digits % 2).astype("float32")
for name, inputs, epochs, version in (("model", 784, 3, "1.0.0"), ("other", 784, 1, "2.0.0"), ("small", 64, 1, "1.0.0")):
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Dense(64, "relu"), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((inputs,)), *layers])
    model.compile("adam", "binary_crossentropy", steps_per_execution=78)
    model.fit(x[:, :inputs], y, batch_size=64, epochs=epochs, verbose=0)
    model.export(f"{folder}/{{name}}.tflite", format="litert", verbose=False)
    serving.write_card(f"{folder}/{{name}}.tflite", ["even", "odd"], [x, y], version)
    if name == "model":
        np.save("{folder}/expected.npy", model.predict(x[::20], verbose=0)[:, 0])
"""
    subprocess.run([sys.executable, "-c", train], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    """What Keras answers for ``images``."""
    return np.load(folder / "expected.npy")


@pytest.fixture(scope="module")
def service(folder, tmp_path_factory):
    log = tmp_path_factory.mktemp("log") / "service.log"
    process, url = serving.start(folder / "model.tflite", log)
    with httpx.Client(base_url=url, timeout=30) as client:
        yield process, client, log
    end(process)


def answers(client, images):
    reply = client.post("/predict", json={"images": images.tolist()})
    assert reply.status_code == 200, reply.text
    return np.array(reply.json()["probabilities"])


def release(folder, name):
    """Return what the service calls a model: its version and the beginning of its file's hash."""
    card = json.loads((folder / f"{name}.json").read_text())
    return f"{card['version']}+{hashlib.sha256((folder / f'{name}.tflite').read_bytes()).hexdigest()[:12]}"


def half_sent(url, body):
    """Return a connection that has sent the head of a request and half of its body."""
    connection = socket.create_connection(address(url), timeout=20)
    connection.sendall(post_head(len(body)) + body[: len(body) // 2])
    return connection


def address(url):
    """Return (host, port)."""
    parts = httpx.URL(str(url))
    return parts.host, parts.port


def post_head(length):
    """Return the head of a request to /predict with a body of so many bytes."""
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    return head.encode()


def end(process):
    process.terminate()
    process.wait(20)


def log_lines(path):
    """Return the lines about requests in a log; each must be whole."""
    return [json.loads(line) for line in path.read_text().splitlines() if not line.startswith(("INFO", '{"serving"'))]


def read_all(connection):
    text = b""
    while part := connection.recv(65536):
        text += part
    return text


def assert_answered(connection, body, probability):
    """Send the other half of a body of one image, and expect its answer."""
    connection.sendall(body[len(body) // 2 :])
    reply = read_all(connection)
    assert reply.startswith(b"HTTP/1.1 200")
    assert abs(json.loads(reply.partition(b"\r\n\r\n")[2])["probabilities"][0] - probability) < 1e-6


def test_it_answers_as_the_model_does(service, images, expected):
    client = service[1]
    np.testing.assert_allclose(answers(client, images[:1]), expected[:1], atol=1e-6)
    got = np.concatenate([answers(client, images[i : i + 50]) for i in range(0, len(images), 50)])
    np.testing.assert_allclose(got, expected, atol=1e-6)
    labels = client.post("/predict", json={"images": images[:50].tolist()}).json()["labels"]
    assert labels == [["even", "odd"][int(p > 0.5)] for p in expected[:50]] and len(set(labels)) == 2


def test_it_says_what_it_is(service, folder):
    process, client, _ = service
    assert client.get("/health").json() == {"status": "ok"}
    card = json.loads((folder / "model.json").read_text())
    assert client.get("/model").json() == {"input_shape": [784], "most_images": 64, "process": process.pid, **card}
    description = client.get("/openapi.json").json()
    schema = description["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["additionalProperties"]["maxItems"] == 64 and client.get("/docs").status_code == 200


@pytest.mark.parametrize(
    "method, path, request_, status",
    [
        ("POST", "/predict", {"json": {"images": [[0.0] * 784]}}, 200),
        ("POST", "/predict", {"json": {}}, 422),
        ("POST", "/predict", {"content": b"{}"}, 415),
        ("POST", "/predict", {"content": bytes(3_000_000)}, 413),
        ("GET", "/predict", {}, 405),
        ("GET", "/no", {}, 404),
        ("GET", "/health", {}, 200),
        ("GET", "/model", {}, 200),
        ("GET", "/metrics", {}, 200),
        ("GET", "/openapi.json", {}, 200),
    ],
)
def test_every_answer_and_its_line_name_the_model_and_the_request(service, folder, method, path, request_, status):
    _, client, log = service
    name = f"id-{method}.{status}_{path.strip('/')}"
    headers = {"X-Request-ID": name}
    reply = client.request(method, path, headers=headers, **request_)
    assert reply.status_code == status
    assert reply.headers.get_list("x-model") == [release(folder, "model")]
    assert reply.headers.get_list("x-request-id") == [name]
    client.get("/health")
    (line,) = [line for line in log_lines(log) if line["request"] == name]
    assert (line["model"], line["status"], line["path"]) == (release(folder, "model"), status, path)


def test_who_cannot_come_in_learns_the_same(folder, images, tmp_path, monkeypatch):
    monkeypatch.setenv(serving.TOKEN_VARIABLE, "sesame")
    process, url = serving.start(folder / "other.tflite", tmp_path / "log", "--most-in-flight", "1")
    holder = {"Authorization": "Bearer sesame"}
    body = json.dumps({"images": images[:1].tolist()}).encode()
    with socket.create_connection(address(url), timeout=20) as held:
        head = post_head(len(body)).replace(b"Host: x", b"Host: x\r\nAuthorization: Bearer sesame")
        held.sendall(head + body[:10])
        time.sleep(0.2)
        replies = [httpx.get(url + "/model"), httpx.get(url + "/model", headers=holder)]
    end(process)
    assert [reply.status_code for reply in replies] == [401, 503]
    assert {reply.headers["x-model"] for reply in replies} == {release(folder, "other")}
    lines = {line["request"]: line["status"] for line in log_lines(tmp_path / "log")}
    assert [lines[reply.headers["x-request-id"]] for reply in replies] == [401, 503]


def test_a_request_without_a_usable_id_gets_one_of_its_own(service):
    _, client, log = service
    unusable = [None, "", "a b", "a" * 65, "{}", 'a"b', "a,b", b"\xe9", "a\tb", "a;b", "-" * 9000]
    given = [{} if name is None else {"X-Request-ID": name} for name in unusable]
    names = [client.get("/health", headers=headers).headers["x-request-id"] for headers in given]
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names) and len(set(names)) == len(unusable)
    for name in ("a", "A" * 64, "3f2a-9c.1_0"):
        assert client.get("/health", headers={"X-Request-ID": name}).headers["x-request-id"] == name
    client.get("/health")
    assert {*names} <= {line["request"] for line in log_lines(log)}


def test_two_versions_answer_side_by_side_and_say_which(folder, images, expected, service, tmp_path):
    process, url = serving.start(folder / "other.tflite", tmp_path / "log")
    body, old, new = {"images": images[:64].tolist()}, release(folder, "model"), release(folder, "other")
    ours, theirs = service[1].post("/predict", json=body).json(), httpx.post(url + "/predict", json=body).json()
    metrics, card = httpx.get(url + "/metrics").text, httpx.get(url + "/model").json()
    description = httpx.get(url + "/openapi.json").json()
    end(process)
    assert (ours["model"], theirs["model"]) == (old, new) and old.startswith("1.0.0+") and new.startswith("2.0.0+")
    assert np.abs(np.subtract(ours["probabilities"], theirs["probabilities"])).max() > 0.01
    assert f'model_info{{model_sha256="{card["model_sha256"]}",version="2.0.0"}} 1.0' in metrics
    assert card["version"] == "2.0.0" and description["info"]["version"] == new


def test_the_description_shows_model_and_request_id(service):
    description = service[1].get("/openapi.json").json()
    post = description["paths"]["/predict"]["post"]
    answer = post["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = description["components"]["schemas"][answer]
    assert [*schema["properties"]] == schema["required"] == ["model", "probabilities", "labels"]
    (parameter,) = post["parameters"]
    assert (parameter["name"], parameter["in"]) == ("X-Request-ID", "header") and not parameter.get("required")
    assert re.search(parameter["schema"]["pattern"], "a" * 64) and not re.search(parameter["schema"]["pattern"], "a b")
    assert [*service[1].post("/predict", json={"images": [IMAGE]}).json()] == schema["required"]


IMAGE = [0.0] * 784


def with_number(text):
    return f'{{"images": [[{text}{", 0" * 783}]]}}'


BAD = {
    "wrong length": (
        422,
        {"json": {"images": [IMAGE[1:]]}},
        r"^images\[0\]: list should have at least 784 items, not 783; ",
    ),
    "too long": (422, {"json": {"images": [IMAGE, IMAGE + [0]]}}, r"^images\[1\]: .*784"),
    "text": (422, {"json": {"images": [["a"] + IMAGE[1:]]}}, r"^images\[0\]\[0\]: .*valid number"),
    "number in quotes": (422, {"json": {"images": [["1"] + IMAGE[1:]]}}, r"^images\[0\]\[0\]: .*valid number"),
    "true": (422, {"json": {"images": [[True] + IMAGE[1:]]}}, r"^images\[0\]\[0\]: .*valid number"),
    "null": (422, {"json": {"images": [[None] + IMAGE[1:]]}}, r"^images\[0\]\[0\]: .*valid number"),
    "NaN": (422, {"content": with_number("NaN"), "headers": JSON}, r"^images\[0\]\[0\]: .*finite"),
    "infinity": (422, {"content": with_number("Infinity"), "headers": JSON}, r"^images\[0\]\[0\]: .*finite"),
    "overflow": (422, {"content": with_number("1e999"), "headers": JSON}, r"^images\[0\]\[0\]: .*finite"),
    "huge integer": (422, {"content": with_number("9" * 4000), "headers": JSON}, r"^images\[0\]\[0\]: "),
    "too dark": (422, {"json": {"images": [[255.5] + IMAGE[1:]]}}, r"^images\[0\]\[0\]: .*255"),
    "negative": (422, {"json": {"images": [[-0.5] + IMAGE[1:]]}}, r"^images\[0\]\[0\]: .*0"),
    "no image": (422, {"json": {"images": []}}, "^images: "),
    "65 images": (422, {"json": {"images": [IMAGE] * 65}}, "^images: .*64"),
    "not in a list": (422, {"json": {"images": IMAGE}}, r"^images\[0\]: "),
    "no images": (422, {"json": {}}, "^The body: .*at least 1"),
    "unknown field": (422, {"json": {"images": [IMAGE], "threshold": 0.7}}, "^threshold: .*'images'"),
    "unknown fields only": (422, {"json": {"threshold": 0.7, "a": 1}}, "^threshold: .*'images'"),
    "a list": (422, {"json": [IMAGE]}, "^The body: "),
    "half the JSON": (422, {"content": '{"images": [[0, 0', "headers": JSON}, "^The body is not valid JSON: "),
    "no body": (422, {"headers": JSON}, "^The body is not valid JSON: "),
    "not UTF-8": (422, {"content": b'{"images": "\xff"}', "headers": JSON}, "^The body is not valid JSON: "),
    "deep": (422, {"content": "[" * 100_000, "headers": JSON}, "^The body is not valid JSON: "),
    "another type": (415, {"content": json.dumps({"images": [IMAGE]})}, "Content-Type"),
    "100 MB": (413, {"content": bytes(100_000_000), "headers": JSON}, "2000000 bytes"),
    "100 MB in chunks": (413, {"content": (bytes(10**6) for _ in range(100)), "headers": JSON}, "2000000 bytes"),
}


def refused(reply, status):
    """Check that a refusal is the expected status and one sentence; return the sentence."""
    assert reply.status_code == status, reply.text
    (sentence,) = reply.json().values()
    assert re.fullmatch(r"[^\n]{10,300}\.", sentence) and "Traceback" not in sentence and ".py" not in sentence
    return sentence


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_sentence_and_the_service_goes_on(service, images, expected, case):
    status, request, words = BAD[case]
    process, client, _ = service
    assert re.search(words, refused(client.post("/predict", **request), status))
    np.testing.assert_allclose(answers(client, images[:3]), expected[:3], atol=1e-6)
    assert psutil.Process(process.pid).memory_info().rss / 1e6 < MOST_MEGABYTES


@pytest.mark.parametrize(
    "method, path, status", [("GET", "/predict", 405), ("DELETE", "/model", 405), ("GET", "/no", 404)]
)
def test_wrong_methods_and_paths_are_refused(service, method, path, status):
    assert refused(service[1].request(method, path), status).startswith(f"{method} {path} is not served here")


def test_what_is_not_http_is_refused(service, images, expected):
    for nonsense in (b"\x16\x03\x01\x02\x00nonsense\r\n\r\n", b"POST /predict HTTP/1.1\r\nContent-Length: -5\r\n\r\n"):
        with socket.create_connection(address(service[1].base_url), timeout=10) as connection:
            connection.sendall(nonsense)
            assert b" 400 " in read_all(connection)
    np.testing.assert_allclose(answers(service[1], images[:3]), expected[:3], atol=1e-6)


def test_a_client_that_asks_first_is_refused_before_it_sends(service):
    with socket.create_connection(address(service[1].base_url), timeout=5) as connection:
        head = "POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100000000\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def nearly_right(draw):
    """Bodies like a right one, with a few numbers, or the number of numbers, changed."""
    images = [[draw(st.integers(0, 255))] * 784 for _ in range(draw(st.integers(0, 3)))]
    for image in images:
        for place in draw(st.lists(st.integers(0, 783), max_size=3)):
            image[place] = draw(SCALARS | st.floats(0, 255))
        del image[draw(st.sampled_from([784, 784, 784, 783, 0])) :]
    body = {draw(st.sampled_from(["images", "images", "images", "image"])): images}
    return json.dumps(draw(st.sampled_from([body, body, body, [body], images])))


def test_no_generated_request_ends_in_a_500(service, images, expected):
    client, seen = service[1], set()
    bodies = nearly_right() | VALUES.map(json.dumps) | st.binary(max_size=200) | st.text(max_size=50).map(str.encode)
    types = st.sampled_from(["application/json"] * 8 + ["text/plain", "", "application/json; charset=utf-8", "é"])
    paths = st.sampled_from(
        ["/predict"] * 8 + ["/model", "/health", "/metrics", "/", "/predict/", "/%00", "/docs?x=%ff"]
    )

    @hypothesis.settings(max_examples=2000, deadline=None, database=None)
    @hypothesis.given(st.sampled_from(["POST"] * 6 + ["GET", "PUT", "HEAD", "OPTIONS"]), paths, bodies, types)
    def send(method, path, body, content_type):
        headers = {"Content-Type": content_type.encode()}
        reply = client.request(method, path, content=body, headers=headers)
        seen.add(reply.status_code)
        assert reply.status_code in (200, 404, 405, 415, 422), reply.text
        if reply.status_code >= 400 and method != "HEAD":
            refused(reply, reply.status_code)

    send()
    assert {200, 404, 405, 415, 422} <= seen
    np.testing.assert_allclose(answers(client, images[:3]), expected[:3], atol=1e-6)


def test_64_clients_at_once_get_each_their_own_answers(service, images, expected):
    count = 0

    async def one_client(client, seed):
        nonlocal count
        rng = np.random.default_rng(seed)
        for _ in range(12):
            chosen = rng.choice(len(images), size=rng.choice([1, 1, 1, 5]), replace=False)
            reply = await client.post("/predict", json={"images": images[chosen].tolist()})
            assert reply.status_code == 200
            np.testing.assert_allclose(reply.json()["probabilities"], expected[chosen], atol=1e-6)
            count += 1

    async def all_clients():
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        async with httpx.AsyncClient(base_url=service[1].base_url, timeout=120, limits=limits) as client:
            await asyncio.gather(*[one_client(client, seed) for seed in range(64)])

    asyncio.run(all_clients())
    assert count == 64 * 12


def test_memory_stays_small_and_tensorflow_out(service):
    process = psutil.Process(service[0].pid)
    assert process.memory_info().rss / 1e6 < MOST_MEGABYTES
    assert not [part.path for part in process.memory_maps() if "/tensorflow/" in part.path]


def test_log_and_metrics_count_the_same_and_hold_no_image(folder, images, tmp_path):
    process, url = serving.start(folder / "model.tflite", tmp_path / "log")
    for n in (1, 2, 3):
        httpx.post(url + "/predict", json={"images": images[:n].tolist()})
    httpx.post(url + "/predict", json={})
    httpx.get(url + "/a%0A" + "b" * 500)
    metrics = httpx.get(url + "/metrics").text
    for line in (
        'requests_total{path="/predict",status="200"} 3.0',
        'requests_total{path="/predict",status="422"} 1.0',
    ):
        assert line in metrics
    for line in (
        'request_seconds_count{path="/predict"} 4.0',
        "confidence_count 6.0",
        'path="other",status="404"} 1.0',
    ):
        assert line in metrics
    end(process)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith('{"time"')]
    predictions = [line for line in lines if line["path"] == "/predict"]
    assert [line.get("images") for line in predictions] == [1, 2, 3, None]
    assert {line["status"] for line in predictions} == {200, 422} and all(0 < line["ms"] < 1e4 for line in lines)
    assert all(len(json.dumps(line)) < 300 for line in lines)


def test_more_than_the_limit_in_flight_gets_503(folder, images, tmp_path):
    process, url = serving.start(folder / "model.tflite", tmp_path / "log", "--most-in-flight", "2")
    body = json.dumps({"images": images[:1].tolist()}).encode()
    held = [half_sent(url, body) for _ in range(2)]
    time.sleep(0.2)
    reply = httpx.post(url + "/predict", content=body, headers=JSON)
    assert "busy" in refused(reply, 503) and reply.headers["Retry-After"] == "1"
    assert httpx.get(url + "/health").status_code == httpx.get(url + "/metrics").status_code == 200
    for connection in held:
        connection.sendall(body[len(body) // 2 :])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert httpx.post(url + "/predict", content=body, headers=JSON).status_code == 200
    end(process)


def test_a_body_that_does_not_come_gets_408(folder, monkeypatch):
    monkeypatch.setattr(serving, "MOST_SECONDS", 0.05)
    app, sent = serving.create_app(serving.read_model(folder / "model.tflite")), []

    async def never():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "raw_path": b"/predict",
        "query_string": b"",
        "headers": [],
    }
    asyncio.run(app(scope, never, send))
    assert sent[0]["status"] == 408 and b"did not arrive" in sent[1]["body"]


def test_with_a_token_only_its_holders_come_in(folder, images, tmp_path, monkeypatch):
    monkeypatch.setenv(serving.TOKEN_VARIABLE, "sesame")
    process, url = serving.start(folder / "model.tflite", tmp_path / "log")
    body = {"images": images[:1].tolist()}
    for token in (None, "", "Bearer", "Bearer sesam", "Bearer sesame2", "sesame", "Basic sesame", b"Bearer \xff"):
        headers = {"Authorization": token} if token is not None else {}
        assert "token" in refused(httpx.post(url + "/predict", json=body, headers=headers), 401)
    assert httpx.post(url + "/predict", json=body, headers={"Authorization": "Bearer sesame"}).status_code == 200
    assert httpx.get(url + "/metrics").status_code == 401 and httpx.get(url + "/health").status_code == 200
    assert "sesame" not in (tmp_path / "log").read_text()
    end(process)


def refused_start(*arguments):
    """Return the one line with which the service refuses to start."""
    result = subprocess.run(
        [sys.executable, "-m", "lepton_helpers.serving", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1 and "Traceback" not in result.stderr
    (line,) = [line for line in result.stderr.splitlines() if not line.startswith(("INFO", "WARNING", "ERROR"))]
    assert line.endswith((".", "one."))
    return line


def test_beyond_this_machine_it_needs_a_token(folder):
    assert serving.TOKEN_VARIABLE in refused_start(folder / "model.tflite", "--host", "0.0.0.0", "--port", "0")


def test_a_port_in_use_is_named(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port}, cannot be used" in refused_start(folder / "model.tflite", "--port", port)
    assert "port 70000, cannot be used" in refused_start(folder / "model.tflite", "--port", 70000)


def spoil(folder, target, case):
    """Copy the model and its card into ``target`` and spoil them."""
    model, card = target / "model.tflite", target / "model.json"
    content = (folder / "model.tflite").read_bytes()
    model.write_bytes(content)
    card.write_bytes((folder / "model.json").read_bytes())
    if case == "missing":
        model.unlink()
    if case == "no card":
        card.unlink()
    if case == "truncated":
        model.write_bytes(content[: len(content) // 2])
    if case == "swapped":
        model.write_bytes((folder / "other.tflite").read_bytes())
    if case in ("half a model", "no model", "empty"):
        model.write_bytes({"half a model": content[: len(content) // 2], "no model": b"hello", "empty": b""}[case])
        serving.write_card(model, ["even", "odd"], [np.zeros(1)])
    if case == "another shape":
        model.write_bytes((folder / "small.tflite").read_bytes())
        serving.write_card(model, ["even", "odd"], [np.zeros(1)])
    if case == "half a card":
        card.write_bytes(card.read_bytes()[:40])
    if case == "card without classes":
        card.write_text(json.dumps({**json.loads(card.read_text()), "classes": ["even"]}))
    if case == "card without a version":
        card.write_text(
            json.dumps({name: value for name, value in json.loads(card.read_text()).items() if name != "version"})
        )
    if case in ("version of two words", "version of no letters", "version that is a number"):
        version = {"version of two words": "1.0 new\r\n", "version of no letters": ""}.get(case, 1.0)
        card.write_text(json.dumps({**json.loads(card.read_text()), "version": version}))
    return model


@pytest.mark.parametrize(
    "case, words",
    [
        ("missing", "model.tflite cannot be read"),
        ("no card", "model.json cannot be read"),
        ("truncated", "truncated or swapped"),
        ("swapped", "truncated or swapped"),
        ("half a model", "not a LiteRT model"),
        ("no model", "not a LiteRT model"),
        ("empty", "not a LiteRT model"),
        ("another shape", r"does not take \(1, 784\)"),
        ("half a card", "not a model's card"),
        ("card without classes", "not a model's card"),
        ("card without a version", "not a model's card"),
        ("version of two words", "not a model's card"),
        ("version of no letters", "not a model's card"),
        ("version that is a number", "not a model's card"),
    ],
)
def test_a_spoiled_model_stops_the_start_in_one_sentence(folder, tmp_path, case, words):
    assert re.search(words, refused_start(spoil(folder, tmp_path, case), "--port", 0))


def test_start_says_why_it_did_not_start(tmp_path):
    with pytest.raises(RuntimeError, match="did not start: .*model.tflite cannot be read"):
        serving.start(tmp_path / "model.tflite", tmp_path / "log")


def test_what_a_user_has_set_reaches_no_service(folder, images, expected, tmp_path, monkeypatch):
    proxies = dict.fromkeys(["http_proxy", "all_proxy", "HTTP_PROXY"], "http://127.0.0.1:9")
    settings = {"SSLKEYLOGFILE": "/no/such", "WEB_CONCURRENCY": "2", "PROMETHEUS_MULTIPROC_DIR": "/no/such"}
    for name, value in (proxies | settings | {"PYTHONIOENCODING": "utf-16"}).items():
        monkeypatch.setenv(name, value)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "uvicorn.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    process, url = serving.start(folder / "model.tflite", tmp_path / "log")
    monkeypatch.undo()
    with httpx.Client(base_url=url, timeout=30) as client:
        np.testing.assert_allclose(answers(client, images[:3]), expected[:3], atol=1e-6)
    end(process)


def test_sigterm_under_load_loses_no_accepted_request(folder, images, expected, tmp_path):
    process, url = serving.start(folder / "model.tflite", tmp_path / "log")
    body = json.dumps({"images": images[:1].tolist()}).encode()
    held = [half_sent(url, body) for _ in range(4)]
    received, stopped = [], threading.Event()

    def one_client():
        with httpx.Client(base_url=url, timeout=20) as client:
            while not stopped.is_set():
                try:
                    received.append(client.post("/predict", content=body, headers=JSON).status_code)
                except httpx.TransportError:
                    return

    clients = [threading.Thread(target=one_client) for _ in range(8)]
    for client in clients:
        client.start()
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert process.poll() is None  # it waits for what it has accepted
    with pytest.raises(httpx.TransportError):
        httpx.get(url + "/health")  # and accepts nothing new
    for connection in held:
        assert_answered(connection, body, expected[0])
    process.wait(10)
    stopped.set()
    for client in clients:
        client.join()
    logged = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith('{"time"')]
    answered = [line["status"] for line in logged if line["path"] == "/predict"]
    assert set(received) == {200} and len(received) > 20
    assert answered == [200] * (len(received) + len(held))


def test_killed_in_the_middle_of_a_request_it_starts_again(folder, images, expected, tmp_path):
    process, url = serving.start(folder / "model.tflite", tmp_path / "log")
    connection = half_sent(url, json.dumps({"images": images[:1].tolist()}).encode())
    process.kill()
    process.wait(10)
    with contextlib.suppress(ConnectionError):
        assert connection.recv(100) == b""
    process, url = serving.start(folder / "model.tflite", tmp_path / "log")
    with httpx.Client(base_url=url) as client:
        np.testing.assert_allclose(answers(client, images[:9]), expected[:9], atol=1e-6)
    end(process)


def test_it_ends_with_the_process_that_started_it(folder, tmp_path):
    code = (
        f"from lepton_helpers import serving; process, url = serving.start(r'{folder / 'model.tflite'}', r'{tmp_path / 'log'}');"
        "print(process.pid, flush=True); input()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    service = psutil.Process(int(parent.stdout.readline()))
    assert service.is_running()
    parent.kill()
    service.wait(10)


def test_two_workers_answer_and_stop_together(folder, images, expected, tmp_path):
    process, url = serving.start(folder / "model.tflite", tmp_path / "log", "--workers", "2")
    children = psutil.Process(process.pid).children(recursive=True)
    for i in range(20):
        reply = httpx.post(url + "/predict", json={"images": images[i : i + 1].tolist()}, timeout=30)
        assert abs(reply.json()["probabilities"][0] - expected[i]) < 1e-6
    process.terminate()
    process.wait(20)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert len(children) >= 2 and not alive


def test_the_model_is_read_once_and_never_written(folder, images, expected, tmp_path):
    model = spoil(folder, tmp_path, "none")
    os.chmod(model, 0o444)
    process, url = serving.start(model, tmp_path / "log")
    model.unlink()
    with httpx.Client(base_url=url) as client:
        np.testing.assert_allclose(answers(client, images[:5]), expected[:5], atol=1e-6)
    end(process)


def cut(start, parts, close):
    """Return a body of nearly 2 MB: its start, as many of the parts as fit, and its end."""
    body = bytearray(start)
    for part in parts:
        if len(body) > 1_980_000:
            break
        body += part + b","
    return bytes(body[:-1]) + close


HEAVY = {
    "238,328 unknown keys": cut(
        b"{", (f'"{a}{b}{c}":0'.encode() for a, b, c in itertools.product(string.printable[:62], repeat=3)), b"}"
    ),
    "a key of 2 MB": b'{"' + b"k" * 1_990_000 + b'": 0}',
    "a key with line breaks": b'{"\\n\\n' + b"k" * 1000 + b'": 0}',
    "empty lists": cut(b'{"images": [', itertools.repeat(b"[]"), b"]}"),
    "small lists": cut(b'{"images": [', itertools.repeat(b"[0]"), b"]}"),
    "small dicts": cut(b'{"images": [', itertools.repeat(b'{"":0}'), b"]}"),
    "a million numbers": cut(b'{"images": [[', itertools.repeat(b"0"), b"]]}"),
    "a text of 2 MB": b'{"images": "' + b"t" * 1_990_000 + b'"}',
    "a number of 2 MB": b'{"images": [[' + b"9" * 1_990_000 + b"]]}",
    "one dict in another": b'{"images": ' * 150_000,
}


def cpu_seconds(process):
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


@on_linux
def test_whatever_is_sent_memory_stays_inside_what_the_manifest_allows(folder, images, expected, tmp_path):
    process, url = serving.start(folder / "model.tflite", tmp_path / "log")

    def peak_mebibytes():
        return int(re.search(r"VmHWM:\s*(\d+) kB", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024

    for name, body in HEAVY.items():
        before = cpu_seconds(process)
        refused(httpx.post(url + "/predict", content=body, headers=JSON, timeout=60), 422)
        assert cpu_seconds(process) - before < 0.9, name
        assert peak_mebibytes() < ALLOWED_MEBIBYTES, name
    body = json.dumps({"images": images[:1].tolist()}).encode().ljust(1_990_000)
    held = []
    for _ in range(99):
        held.append(socket.create_connection(address(url), timeout=60))
        held[-1].sendall(post_head(len(body)) + body[:-1])
    for heavy in HEAVY.values():
        reply = httpx.post(url + "/predict", content=heavy, headers=JSON, timeout=60)
        refused(reply, reply.status_code)
        assert reply.status_code in (422, 503)
    replies = []
    for connection in held:
        with contextlib.suppress(OSError):  # refused long ago
            connection.sendall(body[-1:])
        replies.append(connection.recv(65536))
    statuses = Counter(int(reply.split()[1]) for reply in replies)
    assert set(statuses) <= {200, 408, 503} and statuses[503] > 50
    assert peak_mebibytes() < ALLOWED_MEBIBYTES
    for _ in range(20):  # what was held is free again
        reply = httpx.post(url + "/predict", content=body, headers=JSON, timeout=60)
        assert abs(reply.json()["probabilities"][0] - expected[0]) < 1e-6
    end(process)
    assert max(map(len, (tmp_path / "log").read_text().splitlines())) < 300


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/" + "a" * 9000, 404),
        ("X" * 9000, "/predict", 405),
        ("GET", "/health/?" + "a" * 9000, 404),
        ("GET", "/%0A%0A", 404),
    ],
)
def test_a_long_request_gets_a_short_answer_and_a_short_line(service, method, path, status):
    _, client, log = service
    reply = client.request(method, path)
    assert len(refused(reply, status)) < 300 and len(reply.headers.raw) < 10 and len(str(reply.headers)) < 500
    client.get("/health")
    assert max(map(len, log.read_text().splitlines())) < 400


def start_directly(folder, log, *options, output=None):
    """Start the service as a shell would, with this environment; return (process, a connection to it)."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "lepton_helpers.serving", folder / "model.tflite", "--port", str(port), *options]
    with open(log, "ab") as file:
        process = subprocess.Popen(command, stdout=output or file, stderr=file)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(300):
        with contextlib.suppress(ConnectionRefusedError):
            connection.connect()
            break
        time.sleep(0.1)
    return process, connection


@on_linux
def test_a_full_disk_under_the_log_costs_no_answer(folder, images, expected):
    process, connection = start_directly(folder, "/dev/full")
    connection.auto_open = 0  # one connection for all: whoever closes it loses the rest
    body, got = json.dumps({"images": images[:1].tolist()}), []
    with contextlib.suppress(http.client.HTTPException, ConnectionError):
        for _ in range(300):
            connection.request("POST", "/predict", body, JSON)
            got.append(json.loads(connection.getresponse().read())["probabilities"][0])
    end(process)
    np.testing.assert_allclose(got, [expected[0]] * 300, atol=1e-6)


@pytest.mark.parametrize("given", ["", " \n", "ses\u00e4me", "ses\tame", "ses\udcffame"])
def test_a_token_that_nobody_could_send_is_refused_at_the_start(folder, monkeypatch, given):
    monkeypatch.setenv(serving.TOKEN_VARIABLE, given)
    assert f"{serving.TOKEN_VARIABLE} must" in refused_start(folder / "model.tflite", "--port", "0")


def test_a_token_from_a_file_may_end_in_a_line_break(folder, tmp_path, monkeypatch):
    monkeypatch.setenv(serving.TOKEN_VARIABLE, " open sesame\r\n")
    process, url = serving.start(folder / "model.tflite", tmp_path / "log")
    for header in ("Bearer open sesame", "bearer open sesame", "BEARER  open sesame"):
        assert httpx.get(url + "/model", headers={"Authorization": header}).status_code == 200
    for header in ("Bearer opensesame", "Bearer", "open sesame", "Basic open sesame"):
        reply = httpx.get(url + "/model", headers={"Authorization": header})
        assert "token" in refused(reply, 401) and reply.headers["WWW-Authenticate"] == "Bearer"
    end(process)


def test_the_address_of_an_ipv6_host_can_be_used(folder, tmp_path):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    process, url = serving.start(folder / "model.tflite", tmp_path / "log", "--host", "::1")
    assert url.startswith("http://[::1]:") and httpx.get(url + "/health").status_code == 200
    end(process)


@pytest.mark.parametrize("option", ["--workers", "--most-in-flight"])
@pytest.mark.parametrize("number", ["0", "-1"])
def test_nobody_and_nothing_in_flight_are_refused(folder, option, number):
    command = [sys.executable, "-m", "lepton_helpers.serving", folder / "model.tflite", "--port", "0", option, number]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2 and "must be 1 or more" in result.stderr.splitlines()[-1]


def test_its_description_lists_every_refusal(service):
    description = service[1].get("/openapi.json").json()
    answers = description["paths"]["/predict"]["post"]["responses"]
    assert set(answers) == {"200", "401", "408", "413", "415", "422", "503"}
    for status in set(answers) - {"200"}:
        reference = answers[status]["content"]["application/json"]["schema"]["$ref"]
        assert list(description["components"]["schemas"][reference.rpartition("/")[2]]["properties"]) == ["detail"]
    assert set(description["paths"]["/model"]["get"]["responses"]) == {"200", "401", "408", "413", "503"}


def worker_ids(url, seconds=20):
    """Return the ids of both workers, once both have answered."""
    found, limit = set(), time.monotonic() + seconds
    while len(found) < 2 and time.monotonic() < limit:
        found.add(httpx.get(url + "/model").json()["process"])
    return found


def test_workers_that_stop_refuse_what_is_new_and_finish_what_they_began(folder, images, expected, tmp_path):
    process, url = serving.start(folder / "model.tflite", tmp_path / "log", "--workers", "2")
    assert len(worker_ids(url)) == 2
    body = json.dumps({"images": images[:1].tolist()}).encode()
    held = [half_sent(url, body) for _ in range(6)]
    time.sleep(0.5)
    process.terminate()
    time.sleep(1.5)
    assert process.poll() is None
    start = time.monotonic()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url + "/health", timeout=5)
    assert time.monotonic() - start < 2
    for connection in held:
        assert_answered(connection, body, expected[0])
    process.wait(20)


def test_a_worker_that_starts_again_serves_the_version_that_was_started(folder, images, expected, tmp_path):
    model = spoil(folder, tmp_path, "none")
    process, url = serving.start(model, tmp_path / "log", "--workers", "2")
    first = worker_ids(url)
    for name in ("model.tflite", "model.json"):
        (tmp_path / name).write_bytes((folder / name.replace("model", "other")).read_bytes())
    psutil.Process(min(first)).kill()
    seen, limit = set(), time.monotonic() + 30
    while not seen - first and time.monotonic() < limit:
        with contextlib.suppress(httpx.TransportError):
            seen.add(httpx.get(url + "/model").json()["process"])
    assert seen - first
    version = json.loads((folder / "model.json").read_text())["model_sha256"]
    for i in range(60):
        assert httpx.get(url + "/model").json()["model_sha256"] == version
        reply = httpx.post(url + "/predict", json={"images": images[i : i + 1].tolist()})
        assert abs(reply.json()["probabilities"][0] - expected[i]) < 1e-6
    end(process)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pair of sockets")
def test_each_line_of_the_log_is_one_write(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)  # each write arrives by itself
    reader.settimeout(60)
    process, connection = start_directly(folder, tmp_path / "log", output=writer)
    pieces = [reader.recv(65536)]
    for _ in range(3):
        connection.request("GET", "/health")
        connection.getresponse().read()
        pieces.append(reader.recv(65536))
    end(process)
    assert all(piece.endswith(b"}\n") and json.loads(piece) for piece in pieces)


def test_lines_of_several_workers_stay_whole(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    process, connection = start_directly(folder, tmp_path / "log", "--workers", "2")
    connection.close()

    def one_client(path):  # all its requests at once, so that both workers write without a pause
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\n"
        with socket.create_connection(("127.0.0.1", connection.port), timeout=120) as client:
            client.sendall((request + "\r\n").encode() * 199 + (request + "Connection: close\r\n\r\n").encode())
            return read_all(client).count(b"HTTP/1.1 404 ")

    paths = [f"/{letter * 90}" for letter in "abcdefghijklmnop"]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(one_client, paths)) == [200] * 16
    end(process)
    assert Counter(line["path"] for line in log_lines(tmp_path / "log")) == dict.fromkeys(paths, 200)
