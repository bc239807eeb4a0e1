"""One chapter, its files; one module, its place."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tools.audit._site import toc

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "attention_course"
NOTEBOOKS = ROOT / "notebooks"

# The order of DESIGN: the file list reads like the data flow, and a module imports only
# from modules above it. A new module is a new line here.
MODULES = [
    "_typing",
    "_checks",
    "_precision",
    "scores",
    "masks",
    "weights",
    "attention",
    "heads",
    "positions",
    "data",
    "layers",
    "plots",
    "exercises",
]
MAY_IMPORT = {
    "matplotlib": {"plots"},
    # answers in torch are judged as tensors, and some right answers are written in it;
    # both import it when called, so that the exercises work without
    "torch": {"layers", "exercises"},
}
# Scripts that a maintainer runs once; no module imports them.
SCRIPTS = {"data/extract.py"}

MAX_FUNCTION_LINES = 40


def slugs():
    return [name.split("/")[1] for name in toc() if name.startswith("notebooks/")]


def package_files():
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() not in SCRIPTS
    ]


def code_files():
    folders = ["attention_course", "tools", "benchmarks", "book"]
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(paths):
    return [path.relative_to(ROOT).as_posix() for path in paths]


def imported_names(path):
    """Return (line, dotted name) of each import, relative ones resolved."""
    package = ["attention_course", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def module_of(path):
    """Return the entry of MODULES that a file belongs to, None for the package's."""
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return None if first == "__init__" else first


def test_every_entry_of_the_contents_exists():
    missing = [
        name
        for name in toc()
        if not any((ROOT / f"{name}{suffix}").exists() for suffix in (".md", ".ipynb"))
    ]
    assert not missing, f"in _toc.yml, not on disk: {missing}"


def test_no_entry_of_the_contents_is_there_twice():
    names = toc()
    assert sorted(names) == sorted(set(names))


def test_every_notebook_is_in_the_contents():
    on_disk = {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    assert on_disk <= set(slugs()), f"add to _toc.yml: {on_disk - set(slugs())}"


def test_every_book_page_is_in_the_contents():
    on_disk = {
        path.relative_to(ROOT).with_suffix("").as_posix()
        for path in (ROOT / "book").rglob("*.md")
        if "_static" not in path.parts
    }
    in_toc = {name for name in toc() if name.startswith("book/")}
    assert on_disk <= in_toc, f"add to _toc.yml: {on_disk - in_toc}"


@pytest.mark.skipif(
    os.name != "posix" or shutil.which("make") is None, reason="needs make and find"
)
def test_the_book_is_built_anew_when_a_file_of_its_pages_changes():
    database = subprocess.run(
        ["make", "-pn", "book"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    (rule,) = re.findall(r"^_build/html/index\.html: (.*)", database, re.MULTILINE)
    folders = ("book", "notebooks", "benchmarks/results", "web", "vendor")
    tracked = subprocess.run(
        ["git", "ls-files", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert set(tracked.split()) <= set(rule.split())


def test_notebooks_hold_nothing_but_chapters():
    allowed = {"conftest.py", *(f"{slug}.ipynb" for slug in slugs())}
    leftover = {
        path.name
        for path in NOTEBOOKS.iterdir()
        if path.name not in allowed
        and path.name not in {"__pycache__", ".ipynb_checkpoints"}
    }
    assert not leftover, f"in notebooks/, but no chapter: {leftover}"


def test_chapters_are_read_in_the_order_of_their_numbers():
    assert slugs() == sorted(slugs()), "put the lines of _toc.yml in order"


def test_every_chapter_has_its_exercises_and_the_reverse():
    modules = {path.stem for path in (PACKAGE / "exercises").glob("ch[0-9][0-9]_*.py")}
    missing, leftover = set(slugs()) - modules, modules - set(slugs())
    assert not missing, (
        f"chapters without attention_course/exercises/SLUG.py: {missing}"
    )
    assert not leftover, (
        f"exercises of chapters that _toc.yml does not name: {leftover}"
    )


def test_every_module_has_its_place():
    found = {module_of(path) for path in package_files()} - {None}
    assert found <= set(MODULES), f"add to MODULES: {found - set(MODULES)}"


# The package's own __init__ imports what it re-exports.
PLACED = [path for path in package_files() if module_of(path)]


@pytest.mark.parametrize("path", PLACED, ids=relative(PLACED))
def test_a_module_imports_only_from_modules_above_it(path):
    module = module_of(path)
    below = set(MODULES[MODULES.index(module) + 1 :])
    wrong = [
        f"line {line}: {name}"
        for line, name in imported_names(path)
        if name.startswith("attention_course.") and name.split(".")[1] in below
    ]
    assert not wrong, f"{path.name} imports from modules below it: {wrong}"


@pytest.mark.parametrize("library", sorted(MAY_IMPORT))
def test_only_one_module_imports(library):
    offenders = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in package_files()
        for line, name in imported_names(path)
        if name.split(".")[0] == library and module_of(path) not in MAY_IMPORT[library]
    ]
    assert not offenders, (
        f"only {MAY_IMPORT[library]} may import {library}: {offenders}"
    )


def test_importing_the_package_imports_neither_torch_nor_matplotlib():
    code = (
        "import sys, attention_course\n"
        "print(sorted({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == "[]"


def test_the_wheel_holds_every_file_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    shipped = set(PACKAGE.rglob("*.py"))
    for package, patterns in project["tool"]["setuptools"]["package-data"].items():
        folder = ROOT.joinpath(*package.split("."))
        for pattern in patterns:
            assert list(folder.glob(pattern)), f"{package} has no {pattern}"
            shipped |= set(folder.glob(pattern))
    files = {p for p in PACKAGE.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    assert files == shipped, f"add to package-data: {sorted(files - shipped)}"


def body_lines(function):
    """Return the length of a function's body in lines, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return function.end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", code_files(), ids=relative(code_files()))
def test_every_function_fits_on_a_screen(path):
    too_long = [
        f"{node.name} ({body_lines(node)} lines)"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and body_lines(node) > MAX_FUNCTION_LINES
    ]
    assert not too_long, f"over {MAX_FUNCTION_LINES} lines: {too_long}"


def modules_named(node):
    """Return the modules that an import names; nothing for other nodes."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []


def imported_packages():
    """Return what the repository's own code imports, each with a file that does."""
    return {
        name.split(".")[0]: path.relative_to(ROOT).as_posix()
        for folder in ["attention_course", "tools", "benchmarks", "book", "tests"]
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in modules_named(node)
    }


def test_whatever_is_imported_is_required():
    def normalised(name):
        return re.sub(r"[-_.]+", "-", name).lower()

    text = (ROOT / "requirements.txt").read_text("utf-8")
    required = set(map(normalised, re.findall(r"^([\w.-]+)==", text, re.MULTILINE)))
    carriers = packages_distributions()  # by module; the standard library is not in it
    missing = {
        name: path
        for name, path in imported_packages().items()
        if name in carriers
        and not {*map(normalised, carriers[name])} & {*required, "attention-course"}
    }
    assert not missing, f"add to requirements.txt what carries {missing}"
