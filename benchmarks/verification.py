"""What it costs to verify lessons: CPU time under pytest and nbval against the same code as a plain script.

Both include starting Python and importing TensorFlow. Then all lessons one after the other against two at a time.
With a lesson's number as its argument, it measures that lesson alone.
"""

import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import notebooks  # noqa: E402


def measure(command, folder=ROOT):
    """Return (CPU seconds of the command and all it started, seconds on the clock)."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(result.stdout + result.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - start


def as_script(path, folder):
    """Write the lesson's code as a script; figures are drawn, as in the notebook, and thrown away."""
    script = pathlib.Path(folder) / f"{path.stem}.py"
    cells = [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code"]
    start = "import io, matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\n"
    start += "def draw():\n    [plt.figure(n).savefig(io.BytesIO()) for n in plt.get_fignums()]\n    plt.close('all')\nplt.show = draw\n"
    script.write_text(start + "\n".join(cells))
    return script


def main(name=""):
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "0"]
    with tempfile.TemporaryDirectory() as folder:
        for path in notebooks.lessons(name):
            script, _ = measure([sys.executable, str(as_script(path, folder))], folder)
            verified, _ = measure([*pytest, str(path)])
            print(
                f"{path.name:28s} script {script:5.1f} CPU s, verified {verified:5.1f}, ratio {verified / script:.2f}",
                flush=True,
            )
    if name:
        return
    one = measure([*pytest, "notebooks"])
    two = measure([sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "notebooks"])
    for name, (cpu, seconds) in {"one at a time": one, "two at a time": two}.items():
        print(f"all lessons, {name}: {seconds:5.1f} s, {cpu:5.1f} CPU s")


if __name__ == "__main__":
    main(*sys.argv[1:])
