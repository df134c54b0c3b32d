"""Workbooks on the pages: fetched, sent in, looked at, confirmed, undone."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from tests.excel.conftest import as_file, english, fill, fresh, handed_over, sent
from tests.views.conftest import Browser
from tracker.domain.choices import BatchState
from tracker.excel import table_reader, workbook_import
from tracker.models import ImportBatch, Organization, ProgressUpdate, Task, User

__all__ = ["english", "handed_over"]
IMPORTS = "/imports/"


def upload(client: Client, content: bytes, name: str = "back.xlsx") -> object:
    return client.post(IMPORTS, {"file": SimpleUploadedFile(name, content)}, follow=True)


def filled(unit: Organization, **values: object) -> bytes:
    book = fresh(unit)
    fill(book, "A1-01", **(values or {"percent_done": 0.4, "progress": "done so much"}))
    return as_file(book).getvalue()


def test_a_liaison_fetches_fills_sends_looks_and_confirms(
    handed_over: list[Task], bureau: Organization, liaison: User, browser: Browser
) -> None:
    client = browser(liaison)
    book = load_workbook(BytesIO(client.get(reverse("my_fill_in")).getvalue()))
    fill(book, "A1-01", percent_done=0.4, progress="done so much")
    page = upload(client, as_file(book).getvalue())
    assert "done so much" in page.content.decode()
    assert not ProgressUpdate.objects.exists()
    batch = ImportBatch.objects.get()
    page = client.post(
        batch.get_absolute_url(), {"seen": page.context["preview"].digest}, follow=True
    )
    assert "The import is confirmed" in page.content.decode()
    assert ProgressUpdate.objects.get().progress == "done so much"


def test_a_confirmed_import_is_undone_by_a_button(
    handed_over: list[Task], bureau: Organization, liaison: User, browser: Browser
) -> None:
    client = browser(liaison)
    page = upload(client, filled(bureau))
    batch = ImportBatch.objects.get()
    client.post(batch.get_absolute_url(), {"seen": page.context["preview"].digest})
    client.post(batch.get_absolute_url(), {"undo": "1"})
    batch.refresh_from_db()
    assert (batch.state, ProgressUpdate.objects.count()) == (BatchState.UNDONE, 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "csv"),
        (b"PK\x03\x04cut", "incomplete"),
        (b"<html>", "web page"),
    ],
)
def test_another_kind_of_file_is_refused_in_its_own_words(
    handed_over: list[Task], liaison: User, browser: Browser, content: bytes, words: str
) -> None:
    page = upload(browser(liaison), content)
    assert words in page.content.decode()
    assert not ImportBatch.objects.exists()


def test_a_file_with_faults_offers_itself_marked_and_no_button(
    handed_over: list[Task], bureau: Organization, liaison: User, browser: Browser
) -> None:
    client = browser(liaison)
    page = upload(client, filled(bureau, percent_done="half", progress="x")).content.decode()
    assert "Confirm: write all changes" not in page
    back = client.get(reverse("marked", args=[ImportBatch.objects.get().pk]))
    assert "Faults" in load_workbook(BytesIO(back.getvalue())).sheetnames


def test_the_office_fetches_the_workbooks_of_all_units(
    handed_over: list[Task], county: Organization, office: Client
) -> None:
    archive = ZipFile(BytesIO(office.get(reverse("fill_ins", args=["rise"])).getvalue()))
    assert archive.namelist() == ["Science_fill_in_20260615.xlsx"]
    assert "Fill in" in load_workbook(BytesIO(archive.read(archive.namelist()[0]))).sheetnames


def test_a_liaison_sees_the_imports_of_the_own_unit_alone(
    handed_over: list[Task],
    bureau: Organization,
    county: Organization,
    liaison: User,
    browser: Browser,
) -> None:
    sent(fresh(bureau), liaison)
    other = User.objects.create_user("other", is_liaison=True, organization=county)
    batch = ImportBatch.objects.get()
    page = browser(other).get(IMPORTS).content.decode()
    assert batch.file_name not in page


def test_stale_rows_show_three_texts(
    handed_over: list[Task], bureau: Organization, liaison: User, browser: Browser
) -> None:
    content = filled(bureau)
    Task.objects.filter(code="A1-01").update(version=9)
    page = upload(browser(liaison), content).content.decode()
    assert "when the file was created" in page
    assert "This file contains no changes" in page


def send_large(client: Client, content: bytes) -> StreamingHttpResponse:
    return client.post(IMPORTS, {"file": SimpleUploadedFile("large.xlsx", content)})


@pytest.fixture
def told_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a file of two rows for a large one."""
    monkeypatch.setattr(table_reader, "PROGRESS_INTERVAL", 2)


def test_a_large_file_is_told_of_while_it_is_read_and_leads_to_its_preview(
    handed_over: list[Task], bureau: Organization, liaison: User, browser: Browser, told_often: None
) -> None:
    answer = send_large(browser(liaison), filled(bureau))
    pieces = iter(answer.streaming_content)
    assert "Reading large.xlsx" in next(pieces).decode()
    assert "2 rows read" in next(pieces).decode()
    assert not ImportBatch.objects.exists()
    rest = b"".join(pieces).decode()
    assert "4 rows read" in rest
    assert f'content="0; url={ImportBatch.objects.get().get_absolute_url()}"' in rest
    assert rest.rstrip().endswith("</html>")


@pytest.mark.django_db(transaction=True)
def test_whoever_goes_away_meanwhile_has_sent_nothing_in(
    handed_over: list[Task], bureau: Organization, liaison: User, browser: Browser, told_often: None
) -> None:
    answer = send_large(browser(liaison), filled(bureau))
    next(iter(answer.streaming_content))
    answer.close()  # closes the connection too: no transaction of the test may be open
    assert not ImportBatch.objects.exists()


def test_what_is_refused_half_way_is_said_on_the_same_page(
    handed_over: list[Task],
    bureau: Organization,
    liaison: User,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cut_off(*_given: object) -> workbook_import.ReadingSteps[ImportBatch]:
        yield workbook_import.ReadingProgress(2, 50)
        raise workbook_import.WorkbookRefused("cut off here")

    monkeypatch.setattr(workbook_import, "reading_steps", cut_off)
    page = send_large(browser(liaison), filled(bureau)).getvalue().decode()
    assert (
        page.index("2 rows read, 50% of the file")
        < page.index("cut off here")
        < page.index("</html>")
    )
    assert not ImportBatch.objects.exists()


def test_the_reading_of_a_large_file_speaks_the_language_of_the_page(
    handed_over: list[Task], bureau: Organization, liaison: User, browser: Browser, told_often: None
) -> None:
    client = browser(liaison)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    page = send_large(client, filled(bureau)).getvalue().decode()
    assert "已读 2 行" in page
