"""Run lessons in fresh kernels and store their outputs: `python tools/refresh.py [04]`.

A lesson is written only if every cell ran, and only if something changed that counts: outputs that a tag
excludes from the comparison (timings) differ in every run, so they alone are no reason to write.
"""

import re
import sys

import nbclient

import notebooks
from lepton_helpers import checks

IGNORED = "nbval-ignore-output"
WIDGET = "application/vnd.jupyter.widget-view+json"


def renew_exercises(notebook):
    """Write stub and solution of every exercise into its two cells, from the one place where they stand."""
    for i, cell in enumerate(notebook.cells[:-2]):
        heading = re.match(r"### Exercise (\d+\.\d+)$", cell.source, re.M)
        if heading and heading[1] in checks.exercises(heading[1].split(".")[0]):
            stub, folded = checks.exercise_cells(heading[1])
            notebook.cells[i + 1].source, notebook.cells[i + 2].source = stub, folded


def worth_storing(data):
    """Whether an output is stored: a widget lives only while its kernel does, and a player holds all its sound."""
    return WIDGET not in data and "<audio" not in data.get("text/html", "")


def run(path):
    """Return the lesson at ``path`` with renewed exercises and the outputs of a fresh run.

    Raises:
        nbclient.exceptions.CellExecutionError, DeadKernelError, CellTimeoutError: the lesson does not run through.
    """
    notebook = notebooks.read(path)
    renew_exercises(notebook)
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells[1:]:
        if cell.cell_type == "markdown":
            cell.metadata["figures"] = notebooks.figures_digest(cell.source)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if worth_storing(output.get("data", {}))]
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output["metadata"] = {}
    notebooks.describe_images(notebook)
    return notebook


def compared(notebook):
    """Return all that counts: every cell; of outputs that are not compared, the alternative texts of their images."""
    return [
        {**cell, "outputs": [{"metadata": output.get("metadata")} for output in cell.outputs if output.get("metadata")]}
        if IGNORED in cell.metadata.get("tags", []) and cell.outputs
        else cell
        for cell in notebook.cells
    ]


def main(name=""):
    failed = False
    for path in notebooks.lessons(name):
        print(f"{path.name}: ", end="", flush=True)
        try:
            fresh = run(path)
        except (nbclient.exceptions.CellControlSignal, RuntimeError) as error:
            lines = str(error).strip().splitlines()
            print(f"not written, because a cell failed: {lines[-1] if lines else type(error).__name__}")
            failed = True
            continue
        stored = notebooks.read(path)
        if compared(fresh) == compared(stored) and fresh.metadata == stored.metadata:
            print("unchanged")
        else:
            notebooks.write(fresh, path)
            print("written")
    return failed


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
