"""The course in a terminal, and a teacher's folder of submissions."""

import csv
import json
import textwrap
from pathlib import Path

import pytest

from attention_course.exercises._export import exported
from attention_course.exercises._grade import judged_apart
from attention_course.exercises._terminal import main

RIGHT = """
    import numpy as np
    from attention_course.exercises import check

    def shares(scores):
        exponentials = np.exp(scores - scores.max())
        return exponentials / exponentials.sum()

    check("ch01.shares", shares)
"""
WRONG = RIGHT.replace("exponentials.sum()", "exponentials.max()")
HOSTILE = {
    "exits": "import os; os._exit(0)",
    "never ends": "while True: pass",
    "eats memory": "x = [0]\nwhile True: x = x + x",
    "closes everything": "import os\nfor i in range(20): os.close(i)",
    "starts others": "import subprocess; subprocess.Popen(['sleep', '30'])",
    "patches the judge": (
        "import attention_course.exercises._judge as j\nj.judge = None"
    ),
    "is no python": "def (:",
}


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    file = tmp_path / "progress.jsonl"
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", str(file))
    return file


def script(folder, name, text):
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(textwrap.dedent(text))
    return file


def notebook(*cells):
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{i}",
                "metadata": {"tags": ["check"] if "check(" in text else []},
                "source": textwrap.dedent(text).splitlines(keepends=True),
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}],
                "execution_count": 3,
            }
            for i, text in enumerate(cells)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def test_list_names_the_exercises_of_a_chapter(capsys):
    assert main(["list", "ch01"]) == 0
    printed = capsys.readouterr().out
    assert "ch01.shares" in printed
    assert "ch02." not in printed


def test_a_chapter_that_does_not_exist_is_named():
    with pytest.raises(SystemExit, match="ch77"):
        main(["list", "ch77"])


def test_check_judges_a_script_and_remembers_it(tmp_path, capsys):
    assert main(["check", str(script(tmp_path, "a.py", RIGHT))]) == 0
    assert "✓ Correct  ch01.shares" in capsys.readouterr().out
    main(["progress"])
    assert "1 of" in capsys.readouterr().out


def test_check_names_the_mistake(tmp_path, capsys):
    assert main(["check", str(script(tmp_path, "a.py", WRONG))]) == 1
    assert "Your largest share is 1" in capsys.readouterr().out


def test_check_says_when_there_is_nothing_to_check(tmp_path, capsys):
    assert main(["check", str(script(tmp_path, "a.py", "x = 1"))]) == 1
    assert "No check found" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no file"):
        main(["check", str(tmp_path / "missing.py")])


def test_hint_and_solution_speak_in_the_terminal(capsys):
    assert main(["hint", "ch01.shares"]) == 0
    assert "Hint 1" in capsys.readouterr().out
    assert main(["solution", "ch01.shares"]) == 0
    assert "hints are still open" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no exercise"):
        main(["hint", "ch01.nonsense"])


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    missing = str(tmp_path / "nowhere")
    with pytest.raises(SystemExit, match="nowhere with submissions"):
        main(["grade", missing, "ch01"])
    with pytest.raises(SystemExit, match="nowhere: run this in a copy"):
        main(["export", "ch01", "--notebooks", missing, "--to", str(tmp_path)])


def test_a_failing_cell_costs_only_what_is_checked_in_it(tmp_path):
    cells = ["1 / 0\n", RIGHT, "def f(:\ncheck('ch01.entropy', f)\n", "%time 1\n"]
    file = tmp_path / "a.ipynb"
    file.write_text(json.dumps(notebook(*cells)))
    rows, ended = judged_apart(file)
    assert ended == ""
    outcomes = {row["exercise"]: row["outcome"] for row in rows}
    assert outcomes == {"ch01.shares": "CORRECT", "ch01.entropy": "RAISED"}


def test_what_is_checked_is_what_stands_there_at_that_moment(tmp_path):
    text = textwrap.dedent(RIGHT) + "\nshares = None\n"
    rows, _ = judged_apart(script(tmp_path, "a.py", text))
    assert rows[0]["outcome"] == "CORRECT"


def test_grading_writes_a_row_per_student_and_exercise(tmp_path, capsys):
    folder = tmp_path / "submissions"
    script(folder, "ann.py", RIGHT)
    script(folder, "bob.py", WRONG)
    script(folder / "cem", "work.py", RIGHT)
    script(folder, "notes.txt", "not a submission")
    for name, text in HOSTILE.items():
        script(folder, f"{name}.py", text)
    table = tmp_path / "grades.csv"
    words = ["grade", str(folder), "ch01", "--to", str(table)]
    assert main([*words, "--seconds", "8", "--megabytes", "2048"]) == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    shares = {r["student"]: r for r in rows if r["exercise"] == "ch01.shares"}
    assert shares["ann"]["outcome"] == shares["cem"]["outcome"] == "correct"
    assert shares["bob"]["misconceptions"] == "divided-by-largest"
    assert set(shares) == {"ann", "bob", "cem", *HOSTILE}
    for name in HOSTILE:
        assert shares[name]["outcome"] in ("missing", "unfinished"), shares[name]
    assert "stopped after 8 seconds" in shares["never ends"]["note"]


def test_export_leaves_outputs_out_and_adds_solutions_only_for_instructors():
    check = 'check("ch01.shares", shares)'
    source = notebook("x = 1", check)
    student = exported(source, solutions=False)
    instructor = exported(source, solutions=True)
    assert all(not c["outputs"] for c in student["cells"])
    assert "def shares_of" not in json.dumps(student)
    assert "def shares_of" in json.dumps(instructor)
    assert source["cells"][0]["outputs"], "the original stays as it was"


def test_exported_chapters_are_files(tmp_path, capsys):
    notebooks = Path(__file__).parent.parent / "notebooks"
    words = ["export", "ch01", "--notebooks", str(notebooks), "--to", str(tmp_path)]
    assert main(words) == 0
    assert (tmp_path / "ch01_softmax.ipynb").exists()
