"""Proof that the validation of notebooks works: stored outputs edited by hand fail.

One small notebook is executed and stored by the tool that stores the chapters. Each
edit makes a copy with one lie in it; nbval runs all copies, set up as `make validate`.
"""

import copy
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbval")

from tools import notebooks as tool  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent

SOURCES = [
    "import numpy as np\nshares = np.array([0.659, 0.242, 0.099])",
    "print('the shares add up to', shares.sum())\nshares",
    "class Table:\n"
    "    def _repr_html_(self):\n"
    "        return '<table><tr><td>cat</td><td>0.659</td></tr></table>'\n"
    "    def __repr__(self):\n"
    "        return 'cat 0.659'\n"
    "Table()",
    "import matplotlib.pyplot as plt\n"
    "fig, ax = plt.subplots(figsize=(3, 2))\n"
    "ax.bar(['the', 'cat', 'sat'], shares)\n"
    "ax.set_ylabel('share');",
    "shares > 0.2",
]
PRINTED, TABLE, PICTURE, SILENT = 1, 2, 3, 0


def untouched(cells):
    """Leave the stored outputs as the run made them."""


def a_number(cells):
    data = cells[PRINTED].outputs[1].data
    data["text/plain"] = data["text/plain"].replace("0.242", "0.241")


def a_printed_line(cells):
    cells[PRINTED].outputs[0].text += "and that is all\n"


def a_table_cell(cells):
    data = cells[TABLE].outputs[0].data
    data["text/html"] = data["text/html"].replace("0.659", "0.660")


def an_added_line_on_stderr(cells):
    line = nbformat.v4.new_output("stream", name="stderr", text="a warning\n")
    cells[SILENT].outputs.append(line)


def a_missing_picture(cells):
    del cells[PICTURE].outputs[0].data["image/png"]


def a_picture_of_something_else(cells):
    data = cells[PICTURE].outputs[0].data
    data["image/png"] = redrawn(data["image/png"], erase=(60, 20, 80, 60))


def a_picture_of_another_size(cells):
    data = cells[PICTURE].outputs[0].data
    data["image/png"] = redrawn(data["image/png"], crop=10)


def a_removed_output(cells):
    cells[PRINTED].outputs.pop()


def all_outputs_of_a_cell_removed(cells):
    cells[PICTURE].outputs.clear()


EDITS = [
    a_number,
    a_printed_line,
    a_table_cell,
    an_added_line_on_stderr,
    a_missing_picture,
    a_picture_of_something_else,
    a_picture_of_another_size,
    a_removed_output,
    all_outputs_of_a_cell_removed,
]


def redrawn(encoded, *, erase=None, crop=0):
    """Return a picture with a rectangle erased, or with its right edge cut off."""
    import base64
    import io

    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    if erase:
        picture.paste((255, 255, 255, 255), erase)
    picture = picture.crop((0, 0, picture.width - crop, picture.height))
    stored = io.BytesIO()
    picture.save(stored, format="PNG")
    return base64.b64encode(stored.getvalue()).decode()


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Return, per edit, how many of the copy's cells nbval found wrong."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copy(ROOT / "notebooks" / "conftest.py", folder)
    original = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in SOURCES]
    )
    tool.execute(original, folder)
    for edit in [untouched, *EDITS]:
        edited = copy.deepcopy(original)
        edit(edited.cells)
        tool.write(edited, folder / f"{edit.__name__}.ipynb")
    report = folder / "report.xml"
    validate = "-q --nbval --nbval-current-env -p no:cacheprovider".split()
    places = [f"-c={ROOT / 'pyproject.toml'}", f"--rootdir={folder}", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "pytest", *validate, *places, f"--junit-xml={report}"],
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    found = {edit.__name__: [] for edit in [untouched, *EDITS]}
    for case in ET.parse(report).iter("testcase"):
        edit = case.get("classname").removesuffix(".ipynb").split(".")[-1]
        found[edit].append(case.find("failure") is not None)
    return found


def test_an_untouched_notebook_passes(outcomes):
    assert outcomes["untouched"] == [False] * len(SOURCES)


@pytest.mark.parametrize("edit", EDITS, ids=[edit.__name__ for edit in EDITS])
def test_a_notebook_fails_after_an_edit_of(edit, outcomes):
    assert outcomes[edit.__name__].count(True) == 1
    assert len(outcomes[edit.__name__]) == len(SOURCES)


def test_a_cell_that_fails_is_not_stored(tmp_path):
    broken = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    with pytest.raises(tool.NotebookError, match="ZeroDivisionError"):
        tool.execute(broken, tmp_path)


def test_a_cell_that_warns_is_not_stored(tmp_path):
    source = "import warnings\nwarnings.warn('overflow')"
    noisy = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    with pytest.raises(tool.NotebookError, match="overflow"):
        tool.execute(noisy, tmp_path)


def test_an_edit_that_comes_while_a_notebook_runs_is_kept(tmp_path):
    path = tmp_path / "edited.ipynb"
    source = f"print(open({str(path)!r}, 'a').write('\\n'))"  # somebody saves it
    cells = [nbformat.v4.new_code_cell(source)]
    tool.write(nbformat.v4.new_notebook(cells=cells), path)
    before = path.read_bytes()
    with pytest.raises(tool.NotebookError, match="edited while it ran"):
        tool.refresh(path)
    assert path.read_bytes() == before + b"\n"


def test_storing_is_the_same_in_each_run(tmp_path):
    cells = [nbformat.v4.new_code_cell(s, id=f"c{i}") for i, s in enumerate(SOURCES)]
    first, second = (nbformat.v4.new_notebook(cells=copy.deepcopy(cells)) for _ in "12")
    for notebook, name in [(first, "a"), (second, "b")]:
        tool.execute(notebook, tmp_path)
        tool.write(notebook, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
