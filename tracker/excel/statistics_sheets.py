"""The sheets of figures: of each unit and of each section, with totals, formulas and a chart."""

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import repeat

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.series import Series
from openpyxl.chart.series_factory import SeriesFactory
from openpyxl.drawing.colors import ColorChoice
from openpyxl.drawing.fill import PatternFillProperties
from openpyxl.worksheet.pagebreak import Break

from tracker.domain.choices import GROUP_LIGHTS, LightGroup
from tracker.excel import xlsx_writer
from tracker.excel.cell_text import row_height, wrapped_lines
from tracker.excel.cover import wide_row
from tracker.excel.export_notes import ExportNotes
from tracker.excel.sheets import Listing, body_styles
from tracker.models import PolicyDocument
from tracker.models.task import TaskQuerySet
from tracker.reports import statistics
from tracker.reports.columns import (
    WHOLE_FORMAT,
    Column,
    NativeValue,
    columns_by_name,
)
from tracker.reports.filters import METRICS, TOTAL_METRIC

RATE_FORMAT = "0.0%"
MAX_CHARTED_ROWS = 40  # bars that one page can show
FIRST_GROUP = 4  # the column of the first of the five groups


def count_cell(name: str) -> Column:
    """Make the column of one figure."""
    return Column(
        name, METRICS[name][0], lambda row, on: getattr(row.counts, name), 10.5, WHOLE_FORMAT
    )


def rate_cell(name: str, header: str | Promise) -> Column:
    """Make the column of a rate; there is none where its denominator is 0."""

    def value(row: statistics.StatRow, on: dt.date) -> NativeValue:
        share = getattr(row, name)
        if share is None:
            return None
        return float(share)

    return Column(name, header, value, 10.5, RATE_FORMAT)


def statistics_columns(header: str | Promise, ranked: bool) -> dict[str, Column]:
    """Return the columns of a sheet of figures."""
    label_width = 46
    if ranked:
        label_width = 22
    columns = [Column("label", header, lambda row, on: str(row.label), label_width)]
    for metric in (TOTAL_METRIC, *LightGroup, "on_time", "overdue", "unreported"):
        columns.append(count_cell(str(metric)))
    columns += [
        rate_cell("closing_rate", gettext_lazy("closing rate")),
        rate_cell("on_time_rate", gettext_lazy("on-time rate")),
    ]
    if ranked:
        columns.append(
            Column("rank", gettext_lazy("rank"), lambda row, on: row.rank, 7, WHOLE_FORMAT)
        )
    return columns_by_name(columns)


def write_statistics(
    book: Workbook,
    tasks: TaskQuerySet,
    policy: PolicyDocument,
    on: dt.date,
    heading: str,
    notes: ExportNotes,
) -> None:
    """Write both sheets, from the same figures as the report pages."""
    units = statistics.by_unit(tasks, on, {})
    parts = statistics.by_section(tasks, policy, on, {})
    columns = statistics_columns(gettext_lazy("lead unit"), ranked=True)
    listing = Listing(book, xlsx_writer.UNITS, columns, heading, "units")
    _write_sheet(listing, units, on, notes)
    columns = statistics_columns(gettext_lazy("section"), ranked=False)
    listing = Listing(book, xlsx_writer.PARTS, columns, heading, "parts")
    _write_sheet(listing, parts, on, notes)


def _write_sheet(
    listing: Listing, rows: Sequence[statistics.StatRow], on: dt.date, notes: ExportNotes
) -> None:
    sheet = listing.sheet
    name = str(sheet.ws.title)
    for row in rows:
        listing.add(listing.row(row, on, notes, name))
    listing.close()
    last = sheet.rows
    bold = body_styles(
        sheet, listing.columns, font=xlsx_writer.HEAD_FONT, fill=xlsx_writer.SHADED_FILL
    )
    total = listing.row(statistics.all_of(rows, {}), on, notes, name)
    total.values[0] = None
    listing.add(total, bold)
    plain = sheet.style(box=False, size=10)
    across = len(listing.widths)
    for text in _formulas():
        wide_row(
            sheet,
            plain,
            text,
            across,
            row_height(wrapped_lines(text, sum(listing.widths), 10), 10),
        )
    if rows:
        sheet.append(repeat((plain, None), across), 12)
        shown = min(len(rows), MAX_CHARTED_ROWS)
        # A chart is not cut in two between pages.
        if sheet.height + 28 * (4 + 0.6 * shown) > sheet.page:
            sheet.ws.row_breaks.append(Break(sheet.rows))
        sheet.ws.add_chart(_chart(listing, min(last, 1 + shown)), f"A{sheet.rows + 2}")


def _formulas() -> Iterable[str]:
    yield _(
        "closing rate = closed / total; on-time rate = closed on time / closed; empty where "
        "there is none"
    )
    yield _(
        "total = closed + on course + warning + red light + not started / suspended; cancelled "
        "tasks are not counted"
    )


def _chart(listing: Listing, last: int) -> BarChart:
    """Draw the five groups of each row as one bar."""
    sheet = listing.sheet.ws
    chart = BarChart(barDir="bar", grouping="stacked", overlap=100, gapWidth=40)
    for place, group in enumerate(LightGroup, FIRST_GROUP):
        series: Series = SeriesFactory(
            Reference(sheet, min_col=place, min_row=2, max_row=last),
            title=str(listing.headers[place - 1]),
        )
        look = GROUP_LIGHTS[group][0].style
        shape = series.graphicalProperties
        # Dark, light, hatched, dark, light: different in grey print too.
        if group == LightGroup.WARNING:
            shape.pattFill = PatternFillProperties(prst="wdUpDiag")
            shape.pattFill.foreground = _colour(look.ink)
            shape.pattFill.background = _colour(look.fill)
        else:
            if group in (LightGroup.DONE, LightGroup.RED):
                shape.solidFill = look.ink
            else:
                shape.solidFill = look.fill
        shape.line.solidFill = look.ink
        chart.series.append(series)
    chart.set_categories(Reference(sheet, min_col=2, min_row=2, max_row=last))
    chart.title = None
    chart.legend.position = "t"
    # The first row on top, and both axes drawn, which openpyxl leaves out.
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.majorGridlines = None
    chart.y_axis.numFmt = "0"
    # In cm: as wide as the columns, at 7 pixels a unit.
    chart.width = round(0.185 * sum(listing.widths))
    chart.height = round(4 + 0.6 * (last - 1))
    return chart


def _colour(rgb: str) -> ColorChoice:
    colour = ColorChoice()
    colour.RGB = rgb
    return colour
