"""The files that other people's machines read follow their schemas, checked offline."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NAMES = [path.name for path in WORKFLOWS]


def assert_follows_schema(schema, path):
    """Raise with the checker's own report unless the file follows the schema."""
    pytest.importorskip("check_jsonschema")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def make_targets():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def commands(path):
    for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
        for step in job.get("steps", []):
            yield step.get("run", "")


def test_there_are_workflows():
    assert {"tests.yml", "book.yml", "links.yml"} <= set(NAMES)


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_a_workflow_follows_the_schema(path):
    assert_follows_schema("vendor.github-workflows", path)


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_every_job_of_a_workflow_has_a_time_limit(path):
    assert_follows_schema("github-workflows-require-timeout", path)


def test_the_citation_follows_the_schema():
    assert_follows_schema("vendor.citation-file-format", ROOT / "CITATION.cff")


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_a_workflow_calls_targets_that_exist(path):
    called = {
        target
        for command in commands(path)
        for target in re.findall(r"\bmake ([a-z][a-z-]*)", command)
    }
    assert called <= make_targets(), f"no such target: {called - make_targets()}"


def test_the_oldest_job_installs_the_lower_bounds_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"]]
    wanted += extras["torch"] + extras["plots"] + extras["test"]
    bounds = {
        name: bound
        for requirement in wanted
        for name, bound in re.findall(r"^([\w-]+)>=([\d.]+)$", requirement)
    }
    oldest = (ROOT / ".github" / "oldest.txt").read_text("utf-8")
    pins = dict(re.findall(r"^([\w-]+)==([\d.]+)\.\*$", oldest, re.MULTILINE))
    assert pins == bounds
