"""What the list page is measured against: a bare template loop, and the stock admin's list."""

import datetime as dt

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template import Context, engines
from django.urls import path

from tracker import urls
from tracker.domain.dates import today
from tracker.models import Organization, PolicyDocument, Task
from tracker.reports import task_texts
from tracker.reports.task_table import TaskTable
from tracker.web import request_context

BARE = "{% for line in lines %}<tr>{% for cell in line %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}"


def bare(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the 25 rows of the list page: its queries, its values, and two nested loops.

    Nothing else.
    """
    policy, reading = (
        request_context.get_policy(request, slug),
        request_context.report_context(request),
    )
    visible = request_context.visible_tasks(request, policy)
    list(Organization.objects.all()), list(policy.sections.all()), list(policy.measures.all())
    table = TaskTable(policy, visible, reading.asked, reading.on)
    table.turn_to(reading.asked)
    visible.count()
    lines = [line.cells for line in table.lines()]
    template = engines["django"].from_string(BARE).template
    return HttpResponse(template.render(Context({"lines": lines})))


class StockAdmin(admin.ModelAdmin):
    """The change list as Django makes it, with the columns of the list page."""

    list_display = (
        *("code", "title", "measure", "lead_unit", "kind", "deadline"),
        *("percent", "status", "light", "reason"),
    )
    list_select_related = ("policy", "measure__section", "lead_unit")
    list_per_page = 25

    @admin.display()
    def light(self, task: Task) -> str:
        return task_texts.light_text(task, self._day())

    @admin.display()
    def reason(self, task: Task) -> str:
        return "; ".join(task.reasons_on(self._day()))

    def _day(self) -> dt.date:
        return today()


stock = admin.AdminSite(name="stock")
stock.register(Task, StockAdmin)
stock.register(PolicyDocument)

urlpatterns = [
    *urls.urlpatterns,
    path("bare/<slug:slug>/", bare),
    path("stock/", stock.urls),
]
handler400, handler403, handler404, handler500 = (
    urls.handler400,
    urls.handler403,
    urls.handler404,
    urls.handler500,
)
