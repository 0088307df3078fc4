"""Run lessons in fresh kernels and store their outputs: `python tools/refresh.py [04]`.

A lesson is written only if every cell ran, and only if something changed that counts: outputs that a tag
excludes from the comparison (timings) differ in every run, so they alone are no reason to write. What other programs
added (metadata, empty cells) goes; an answer in the place of a stub stays, and so does the whole file.
"""

import copy
import re
import sys

import lab
import nbclient

import notebooks
from lepton_helpers import checks

IGNORED = "nbval-ignore-output"
WIDGET = "application/vnd.jupyter.widget-view+json"


def renew_exercises(notebook):
    """Write stub and solution of every exercise into its two cells, from the one place where they stand.

    Raises:
        notebooks.Refused: one of the two cells holds something else, such as somebody's answer, which would be lost.
    """
    for i, cell in enumerate(notebook.cells[:-2]):
        heading = re.match(r"### Exercise (\d{1,2}\.\d+)$", cell.source, re.M)
        if cell.cell_type != "markdown" or not heading or not is_known(heading[1]):
            continue
        stub, folded = checks.exercise_cells(heading[1])
        shown, solution = notebook.cells[i + 1 : i + 3]
        if (shown.cell_type, shown.source) != ("code", stub) and not notebooks.holds_nothing_new(shown):
            raise notebooks.Refused(f"cell {i + 1} {answered(heading[1])}")
        if solution.source.strip() and not solution.source.startswith("<details>"):
            raise notebooks.Refused(
                f"cell {i + 2} stands where the folded solution of exercise {heading[1]} is due; move it, then refresh again."
            )
        shown.source, solution.source = stub, folded
        shown.metadata["stub"] = notebooks.digest(stub)


def is_known(number):
    try:
        return number in checks.exercises(number.split(".")[0])
    except ModuleNotFoundError:
        return False


def answered(number):
    """Say of a cell that it holds something else than the stub of exercise ``number``, and how to lose nothing."""
    return (
        f"holds something of yours in the place of exercise {number}'s stub; copy it to where it belongs (an answer to your own "
        f"copy of the lesson, a better stub to lepton_helpers/checks/lesson_{int(number.split('.')[0]):02d}.py), "
        "then empty the cell and run `make refresh`."
    )


def clean(notebook):
    """Remove what other programs added: metadata that no lesson has, empty cells, empty attachments."""
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in notebooks.CELL_METADATA}
        if not cell.get("attachments"):
            cell.pop("attachments", None)


def worth_storing(data):
    """Whether an output is stored: a widget lives only while its kernel does, and a player holds all its sound."""
    return WIDGET not in data and "<audio" not in data.get("text/html", "")


def run(path):
    """Return the lesson at ``path`` with renewed exercises and the outputs of a fresh run.

    Raises:
        nbclient.exceptions.CellExecutionError, DeadKernelError, CellTimeoutError: the lesson does not run through.
        notebooks.Refused: the file is no notebook, or holds an answer.
    """
    notebook = notebooks.read(path)
    renew_exercises(notebook)
    clean(notebook)
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    notebook.metadata = copy.deepcopy(notebooks.METADATA)
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
    lab.shield()
    failed = False
    page = [] if name else [path for path in [notebooks.FOLDER / "start.ipynb"] if path.exists()]
    for path in notebooks.lessons(name) + page:
        print(f"{path.name}: ", end="", flush=True)
        try:
            stored, before = notebooks.read(path), path.read_bytes()
            fresh = run(path)
            if path.read_bytes() != before:
                raise notebooks.Refused("the file changed while it was run; save it and run `make refresh` again.")
        except notebooks.Refused as error:
            print(f"left as it is: {str(error).removeprefix(f'{path.name}: ')}")
            failed = True
            continue
        except (nbclient.exceptions.CellControlSignal, RuntimeError) as error:
            lines = str(error).strip().splitlines()
            print(f"not written, because a cell failed: {lines[-1] if lines else type(error).__name__}")
            failed = True
            continue
        same = compared(fresh) == compared(stored) and fresh.metadata == stored.metadata
        if same and notebooks.normal_form(stored).encode() == before:
            print("unchanged")
        else:
            notebooks.write(stored if same else fresh, path)
            print("written")
    return failed


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
