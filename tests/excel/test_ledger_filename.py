"""The name of the file."""

import datetime as dt

import pytest
from django.utils.translation import override

from tracker.excel.ledger import ledger_filename
from tracker.models import PolicyDocument

DAY = dt.date(2026, 11, 23)


def test_the_name_says_policy_ledger_and_day() -> None:
    with override("zh-hans"):
        assert (
            ledger_filename(PolicyDocument(title="中部崛起"), DAY)
            == "中部崛起_工作台账_截至20261123.xlsx"
        )


@pytest.mark.parametrize("sign", list('\\/:*?"<>|\n\0\x7f'))
def test_what_file_systems_refuse_is_replaced(sign: str) -> None:
    assert (
        ledger_filename(PolicyDocument(title=f"a{sign}b"), DAY) == "a_b_ledger_as_of_20261123.xlsx"
    )


@pytest.mark.parametrize("title", ["字" * 200, "😀" * 200])
def test_a_long_title_is_cut_to_what_file_systems_take(title: str) -> None:
    name = ledger_filename(PolicyDocument(title=title), DAY)
    assert len(name.encode()) <= 255
    assert name.endswith("_ledger_as_of_20261123.xlsx")
    assert set(name.split("_")[0]) == {title[0]}
