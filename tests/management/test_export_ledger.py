"""The command that writes a ledger: what it writes, and what it refuses without leaving a file."""

import datetime as dt
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override
from openpyxl import Workbook, load_workbook

from tests.factories import make_policy, make_task
from tracker.domain.choices import PolicyState
from tracker.models import Organization, PolicyDocument


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with override("en"):
        yield


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "ledger.xlsx"


@pytest.fixture
def tasks(policy: PolicyDocument, bureau: Organization, county: Organization) -> None:
    """Give each unit a task, and let the bureau co-operate in one more."""
    make_task(policy, "A1-01", lead_unit=bureau)
    make_task(policy, "A1-02", lead_unit=county, deadline=dt.date(2026, 7, 31))
    make_task(policy, "B1-01", lead_unit=county).co_units.add(bureau)


def export(out: Path, policy: str = "rise", **options: Any) -> Workbook:
    call_command("export_ledger", policy=policy, out=str(out), stdout=StringIO(), **options)
    return load_workbook(out)


def codes(book: Workbook) -> list[str]:
    return [row[3].value for row in book["Data"].iter_rows(min_row=2)]


def refused(out: Path, folder: Path | None = None, **options: Any) -> str:
    """Return the words of a refusal; nothing may have been left behind."""
    with pytest.raises(CommandError) as error:
        call_command("export_ledger", **({"policy": "rise", "out": str(out)} | options))
    assert list((folder or out.parent).iterdir()) == []
    return str(error.value)


def test_all_tasks_of_the_policy_are_exported(tasks: None, out: Path) -> None:
    assert codes(export(out)) == ["A1-01", "A1-02", "B1-01"]


def test_tasks_of_other_policies_are_not(tasks: None, out: Path) -> None:
    make_task(make_policy("other"), "A1-09")
    assert codes(export(out)) == ["A1-01", "A1-02", "B1-01"]


def test_a_draft_is_exported_too(policy: PolicyDocument, out: Path) -> None:
    make_task(make_policy("draft", state=PolicyState.DRAFT), "A1-09")
    assert codes(export(out, "draft")) == ["A1-09"]


@pytest.mark.parametrize("name", ["Bureau of Science", "Science", "Sci", " Tech "])
def test_a_unit_is_known_by_each_of_its_names(tasks: None, out: Path, name: str) -> None:
    assert codes(export(out, unit=name)) == ["A1-01", "B1-01"]


def test_the_ledger_of_a_unit_says_so(tasks: None, out: Path) -> None:
    assert "Bureau of Science" in export(out, unit="Sci")["Ledger"]["A2"].value


def test_lights_are_those_of_the_day(tasks: None, out: Path) -> None:
    book = export(out, on="2026-08-01")
    assert [row[14].value for row in book["Data"].iter_rows(min_row=3, max_row=3)] == [
        "■ red light"
    ]


def test_codes_lead_to_the_tracker(tasks: None, out: Path) -> None:
    link = export(out, site="https://tracker.example/")["Data"]["D2"].hyperlink.target
    assert link.startswith("https://tracker.example/policies/rise/tasks/")


def test_an_older_file_is_replaced(tasks: None, out: Path) -> None:
    out.write_text("old")
    assert codes(export(out)) == ["A1-01", "A1-02", "B1-01"]
    assert list(out.parent.iterdir()) == [out]


def test_an_unknown_policy_is_refused_with_those_there_are(tasks: None, out: Path) -> None:
    assert refused(out, policy="ris") == "policy: “ris” is not known; allowed: rise"


def test_an_unknown_unit_is_refused_with_those_that_come_near(tasks: None, out: Path) -> None:
    assert refused(out, unit="Scienc") == "unit: “Scienc” is not known; allowed: Science, Sci"


def test_a_unit_like_no_other_is_refused_with_some_there_are(tasks: None, out: Path) -> None:
    assert refused(out, unit="xyz") == "unit: “xyz” is not known; allowed: Science, East"


def test_an_empty_name_is_no_unit(tasks: None, out: Path) -> None:
    assert "“” is not known" in refused(out, unit="")


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", "2026-6-1", ""])
def test_a_day_that_cannot_be_read_is_refused_with_how_to_write_it(
    tasks: None, out: Path, day: str
) -> None:
    words = refused(out, on=day)
    assert f"“{day}”" in words
    assert "YYYY-MM-DD" in words


def test_a_place_that_cannot_be_written_is_refused(tasks: None, out: Path) -> None:
    assert "cannot be written" in refused(out.parent / "nowhere" / "x.xlsx", folder=out.parent)


def test_a_refusal_leaves_an_older_file_as_it_was(
    tasks: None, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out.write_text("old")

    def fail(scope: Any, file: Any) -> None:
        file.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr("tracker.excel.ledger.save_ledger", fail)
    with pytest.raises(CommandError, match="no space left"):
        call_command("export_ledger", policy="rise", out=str(out))
    assert [path.read_text() for path in out.parent.iterdir()] == ["old"]


def test_a_filter_is_that_of_the_list(out: Path, tasks: None) -> None:
    assert codes(export(out, filter="section=2")) == ["B1-01"]


def test_a_filter_that_cannot_be_read_is_refused(out: Path, tasks: None) -> None:
    assert "nonsense" in refused(out, filter="nonsense=1")


def test_the_sheet_to_print_comes_on_a4_where_it_is_asked_for(out: Path, tasks: None) -> None:
    assert int(export(out, paper="a4")["Ledger"].page_setup.paperSize) == 9


def all_links(book: Workbook) -> set[str]:
    """Return where the cells of a workbook lead to, but for the sheets that the cover names."""
    cells = (
        cell
        for sheet in book.worksheets[1:]
        for row in sheet.iter_rows()
        for cell in row
        if cell.hyperlink
    )
    return {cell.hyperlink.target for cell in cells}


def test_codes_lead_to_the_address_that_the_office_has_set(
    tasks: None, out: Path, settings: Any
) -> None:
    settings.SITE_URL = "https://tracker.gov.example"
    assert {link.split("/policies/")[0] for link in all_links(export(out))} == {
        "https://tracker.gov.example"
    }


@pytest.mark.parametrize("production", [False, True])
def test_without_an_address_codes_are_plain_text(
    tasks: None, out: Path, settings: Any, production: bool
) -> None:
    settings.SITE_URL, settings.PRODUCTION = "", production
    book = export(out)
    assert all_links(book) == set()
    assert book["Data"]["D2"].font.underline is None
