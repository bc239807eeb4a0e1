"""The benchmark page shows the stored records, and the records keep our promises."""

import json

import pytest
from built import ROOT, extension

from tools.audit import lighthouse
from tools.audit._site import GENERATED, toc

RESULTS = ROOT / "benchmarks" / "results"


@pytest.fixture(scope="module")
def records():
    return extension("records")


def rows(name):
    return json.loads((RESULTS / f"{name}.json").read_text("utf-8"))["rows"]


def test_every_record_is_shown_and_every_number_comes_from_it(records):
    pages = [path.read_text("utf-8") for path in (ROOT / "book").glob("*.md")]
    named = [match[1] for page in pages for match in records.PLACE.finditer(page)]
    assert set(named) == {path.stem for path in RESULTS.glob("*.json")}
    shown = "\n".join(map(records.filled, pages))
    assert "<!-- record" not in shown
    for row in rows("multi_head"):
        assert f"| {row['ratio']:.3f} |" in shown


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ([0.94, 1.053, 1], ["0.940", "1.053", "1.000"]),
        ([44.51, 8.2], ["44.51", "8.20"]),
        ([12345.6, 999.9], ["12346", "1000"]),
        # one decimal would make 0.1 of the first
        ([0.121, 5.25, 1116.61], ["0.1210", "5.250", "1117"]),
        ([0.0, 0.0071], ["0.0000", "0.0071"]),
        ([10000, 3], ["10,000", "3"]),
        ([True, False], ["yes", "no"]),
    ],
)
def test_the_numbers_of_a_column_have_as_many_decimals(records, values, cells):
    assert records._cells(values) == cells


def test_a_record_that_is_not_stored_is_named_with_the_command_that_makes_it(records):
    with pytest.raises(FileNotFoundError, match=r"python benchmarks/nothing\.py"):
        records.filled("<!-- record nothing: a = A -->")


def test_a_column_that_a_record_does_not_have_is_named_with_those_that_it_has(records):
    with pytest.raises(KeyError, match=r"no column \['mean_s'\], but .*'median_s'"):
        records.filled("<!-- record import_time: import = what, mean_s = s -->")


def test_without_weights_the_layer_is_as_fast_as_torchs_and_takes_no_more_memory():
    cells = [row for row in rows("multi_head") if not row["weights"]]
    assert {row["n"] for row in cells} == {128, 512, 2048}
    for row in cells:
        assert row["ratio"] <= 1.05, row
        assert row["tensor_ratio"] <= 1.0, row


def test_with_weights_the_layer_stays_near_torchs():
    cells = [row for row in rows("multi_head") if row["weights"]]
    assert {row["n"] for row in cells} == {128, 512, 2048}
    for row in cells:
        limit = 1.1 if row["mode"] == "forward+backward" else 1.6
        assert row["ratio"] <= limit, row


def test_the_import_adds_less_than_a_tenth_of_a_second():
    by_name = {row["import"]: row for row in rows("import_time")}
    assert by_name["attention_course"]["median_s"] < 0.1
    assert by_name["attention_course"]["heavy"] == "none"


AUDITED = {*toc(), *GENERATED}


def test_no_page_breaks_a_rule_of_accessibility():
    assert {row["page"] for row in rows("axe")} == AUDITED
    impacts = ("critical", "serious", "moderate", "minor")
    assert [row for row in rows("axe") if any(row[one] for one in impacts)] == []


def test_lighthouse_gives_every_chapter_what_we_hold_ourselves_to():
    assert {row["page"] for row in rows("lighthouse")} == set(lighthouse.chapters())
    for row in rows("lighthouse"):
        for name, least in lighthouse.TARGETS.items():
            assert row[name] >= least, row
        assert row["text_s"] <= 1, row
        assert row["kB"] < 600, row


def test_firefox_reads_every_page_and_takes_every_step():
    assert {row["page"] for row in rows("firefox")} == AUDITED
    assert {row["what"] for row in rows("firefox")} > {"loads"}
    assert [row for row in rows("firefox") if row["errors"]] == []


def test_every_verdict_in_a_browser_is_the_one_of_the_tests():
    assert {row["browser"] for row in rows("verdicts")} == {"Chromium", "Firefox"}
    for row in rows("verdicts"):
        assert row["verdicts"] > 1000, row
        assert row["differing"] == 0, row
