"""What the browser keeps, where it keeps nothing or not everything; under Node."""

import json
import subprocess

import pytest
from built import ROOT

from tools.assets import node_program

STORES = {
    "all": """{
      kept: {}, getItem(k) { return this.kept[k] ?? null; },
      setItem(k, v) { this.kept[k] = v; }, removeItem(k) { delete this.kept[k]; } }""",
    "nothing": """{
      getItem() { throw Error("denied"); }, setItem() { throw Error("denied"); },
      removeItem() { throw Error("denied"); } }""",
    "what was there": """{
      kept: {"attention-course/edit/a": "older"},
      getItem(k) { return this.kept[k] ?? null; },
      setItem() { throw Error("QuotaExceededError"); },
      removeItem(k) { delete this.kept[k]; } }""",
}
PROGRAM = """
Object.defineProperty(globalThis, "localStorage", {value: %s});
import(%s).then(({ edits, progress }) => {
  const seen = [];
  edits.write("a", "mine");
  seen.push(edits.read("a"));
  progress.append("", '{"exercise": "ch01.a", "event": "CORRECT"}\\n');
  seen.push([...progress.solved()]);
  edits.forget("a");
  progress.forget();
  seen.push(edits.read("a"), progress.text());
  console.log(JSON.stringify(seen));
});
"""


@pytest.mark.parametrize("kind", STORES)
def test_a_page_remembers_and_forgets_whatever_the_browser_keeps(kind):
    script = (ROOT / "web" / "livecode" / "store.mjs").as_uri()
    program = PROGRAM % (STORES[kind], json.dumps(script))
    done = subprocess.run(
        [*node_program("node"), "--eval", program],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert json.loads(done.stdout) == ["mine", ["ch01.a"], None, ""]
