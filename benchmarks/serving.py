"""The service of lesson 05 against litserve with the same LiteRT model, and against a floor that only parses the JSON.

Each answers the same image, one at a time over kept connections, 1 and 32 clients, in turn; CPU seconds are those of the
server's processes, all of them. The floor is a bare ASGI function under the same uvicorn that returns a constant.
litserve has an environment of its own: python3 -m venv .litserve && .litserve/bin/pip install litserve ai-edge-litert numpy
"""

import asyncio
import contextlib
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import psutil

REQUESTS, ROUNDS = 2000, 3
ROOT = pathlib.Path(__file__).resolve().parent.parent

FLOOR = """
import json, sys, uvicorn
from lepton_helpers.serving import listen

ANSWER = b'{"probabilities": [0.5], "labels": ["even"]}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]

async def app(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    json.loads(body)
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})

config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
uvicorn.Server(config).run(sockets=[listen("127.0.0.1", int(sys.argv[2]))])
"""

LITSERVE = """
import sys
import litserve, numpy as np

class Digits(litserve.LitAPI):
    def setup(self, device):
        from ai_edge_litert.interpreter import Interpreter
        self.interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
        self.interpreter.allocate_tensors()
        self.source = self.interpreter.get_input_details()[0]["index"]
        self.target = self.interpreter.get_output_details()[0]["index"]

    def decode_request(self, request):
        return np.array(request["images"], np.float32)

    def predict(self, images):
        self.interpreter.set_tensor(self.source, images)
        self.interpreter.invoke()
        return float(self.interpreter.get_tensor(self.target)[0, 0])

    def encode_response(self, probability):
        return {"probabilities": [probability], "labels": [["even", "odd"][probability > 0.5]]}

if __name__ == "__main__":
    server = litserve.LitServer(Digits(), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
"""


def train(folder):
    """Train the lesson's network briefly, export it, and return (its path, one image)."""
    code = f"""
import keras, numpy as np
from lepton_helpers import data, serving
images, digits = data.load_mnist_5k()
x, y = images.reshape(-1, 784).astype("float32"), (digits % 2).astype("float32")
hidden = [keras.layers.Dense(units, "relu") for units in (128, 64)]
model = keras.Sequential([keras.Input((784,)), keras.layers.Rescaling(1 / 255), *hidden, keras.layers.Dense(1, "sigmoid")])
model.compile("adam", "binary_crossentropy", steps_per_execution=78)
model.fit(x, y, batch_size=64, epochs=3, verbose=0)
model.export("{folder}/model.tflite", format="litert", verbose=False)
serving.write_card("{folder}/model.tflite", ["even", "odd"], [x, y])
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    from lepton_helpers import data

    return f"{folder}/model.tflite", data.load_mnist_5k()[0][2500].reshape(1, -1).tolist()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@contextlib.contextmanager
def running(command):
    """Start a server with the model and a free port as its last words; yield (process, port) once it accepts."""
    port = free_port()
    process = psutil.Popen([*command, str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.1)
        yield process, port
    finally:
        tree = [*process.children(recursive=True), process]
        for one in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.terminate()
        for one in psutil.wait_procs(tree, timeout=5)[1]:
            one.kill()


def cpu_seconds(process):
    total = 0
    for one in [process, *process.children(recursive=True)]:
        times = one.cpu_times()
        total += times.user + times.system
    return total


async def load(port, request, clients, requests):
    """Send the request over ``clients`` kept connections, each waiting for its answer; return the seconds of each."""
    seconds = []

    async def one_client():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(requests // clients):
            start = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"A server answered {head[:80]}.")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            seconds.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*[one_client() for _ in range(clients)])
    return seconds


def measure(process, port, request, clients):
    """Return (CPU milliseconds of the server per request, requests per second, 99th percentile in milliseconds)."""
    asyncio.run(load(port, request, clients, 200))
    cpu, start = cpu_seconds(process), time.perf_counter()
    seconds = asyncio.run(load(port, request, clients, REQUESTS))
    elapsed = time.perf_counter() - start
    return (
        1000 * (cpu_seconds(process) - cpu) / len(seconds),
        len(seconds) / elapsed,
        1000 * float(np.percentile(seconds, 99)),
    )


def single_row(model_path, image):
    """Return the CPU microseconds of one row: bare LiteRT calls, and the function that the service calls."""
    from ai_edge_litert.interpreter import Interpreter

    from lepton_helpers import serving

    predict = serving.load_model(*serving.read_model(model_path)[:2])
    interpreter = Interpreter(model_path=model_path, num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    row = np.array(image, np.float32)

    def bare():
        interpreter.set_tensor(source, row)
        interpreter.invoke()
        return interpreter.get_tensor(target)[0, 0]

    def timed(function):
        start = time.process_time()
        for _ in range(5000):
            function()
        return (time.process_time() - start) / 5000 * 1e6

    pairs = [(timed(bare), timed(lambda: predict(row))) for _ in range(7)]
    return [statistics.median(side) for side in zip(*pairs, strict=True)]


def main():
    peer = ROOT / ".litserve/bin/python"
    if not peer.exists():
        raise SystemExit(f"litserve is not installed; {__doc__.strip().splitlines()[-1]}")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        model_path, image = train(folder)
        bare, service = single_row(model_path, image)
        print(
            f"one row: LiteRT alone {bare:.1f} CPU us, in the service's path {service:.1f}, ratio {service / bare:.2f}"
        )
        for name, code in (("floor", FLOOR), ("peer", LITSERVE)):
            pathlib.Path(folder, f"{name}.py").write_text(code)
        commands = {
            "floor": [sys.executable, f"{folder}/floor.py", model_path],
            "ours": [sys.executable, "-m", "lepton_helpers.serving", model_path, "--port"],
            "litserve": [str(peer), f"{folder}/peer.py", model_path],
        }
        servers = {name: stack.enter_context(running(command)) for name, command in commands.items()}
        body = json.dumps({"images": image}).encode()
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        for clients in (1, 32):
            rounds = [
                {name: measure(*server, head.encode() + body, clients) for name, server in servers.items()}
                for _ in range(ROUNDS)
            ]
            median = {name: [statistics.median(r[name][i] for r in rounds) for i in range(3)] for name in servers}
            for name, (cpu, rate, p99) in median.items():
                print(
                    f"{clients:2d} clients, {name:8s}: {cpu:.3f} CPU ms/request, {rate:5.0f} requests/s, p99 {p99:.1f} ms"
                )
            print(
                f"{clients:2d} clients: per CPU-second {median['litserve'][0] / median['ours'][0]:.2f} times litserve, "
                f"{median['ours'][0] / median['floor'][0]:.2f} times the floor's CPU"
            )


if __name__ == "__main__":
    main()
