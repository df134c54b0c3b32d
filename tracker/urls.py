"""The addresses."""

from django.contrib import admin
from django.urls import path

from tracker.views import (
    accounts,
    details,
    exports,
    fill_in,
    finding,
    healthz,
    imports,
    pages,
    progress,
    progress_reports,
    proposing,
    review,
    texts,
)

urlpatterns = [
    path("", pages.home, name="home"),
    path("policies/new/", proposing.new, name="new"),
    path("policies/<slug:slug>/", pages.policy, name="policy"),
    path("policies/<slug:slug>/tasks/", pages.tasks, name="tasks"),
    path("policies/<slug:slug>/tasks/<str:code>/", details.task, name="task"),
    path("policies/<slug:slug>/tasks/<str:code>/report/", progress_reports.report, name="report"),
    path("policies/<slug:slug>/tasks/<str:code>/do/<str:action>/", progress.step, name="step"),
    path(
        "policies/<slug:slug>/tasks/<str:code>/tick/<int:number>/", progress.tick_step, name="tick"
    ),
    path("policies/<slug:slug>/measures/<str:code>/", details.measure, name="measure"),
    path("policies/<slug:slug>/units/", details.units, name="units"),
    path("policies/<slug:slug>/units/<int:pk>/", details.unit, name="unit"),
    path("units/<int:pk>/", details.unit_everywhere, name="unit_everywhere"),
    path("policies/<slug:slug>/text/", texts.text, name="text"),
    path("policies/<slug:slug>/health/", pages.health, name="health"),
    path("policies/<slug:slug>/ledger.xlsx", exports.ledger, name="ledger"),
    path("policies/<slug:slug>/units/<int:pk>/fill-in.xlsx", fill_in.fill_in, name="fill_in"),
    path("policies/<slug:slug>/fill-in.zip", fill_in.fill_ins, name="fill_ins"),
    path("policies/<slug:slug>/checklist.xlsx", fill_in.checklist, name="checklist"),
    path("imports/checklist.xlsx", fill_in.checklist, name="empty_checklist"),
    path("my/fill-in.xlsx", fill_in.my_fill_in, name="my_fill_in"),
    path("imports/", imports.imports, name="imports"),
    path("imports/<int:pk>/", imports.batch, name="batch"),
    path("imports/<int:pk>/progress/", imports.batch_progress, name="batch_progress"),
    path("imports/<int:pk>/marked.xlsx", imports.marked_file, name="marked"),
    path("work/<slug:name>/", exports.export_progress, name="work"),
    path("work/<slug:name>/file/", exports.made_export, name="made"),
    path("my/", progress.my, name="my"),
    path("evidence/<int:pk>/", progress.evidence, name="evidence"),
    path("review/", review.queue, name="queue"),
    path("review/reports/<int:pk>/", review.review, name="review"),
    path("review/accept/", review.accept_many, name="accept_many"),
    path("review/answer/<int:pk>/", review.answer_help_page, name="answer"),
    path("review/<str:show>/", review.queue, name="queue"),
    path("search/", finding.search, name="search"),
    path("large-type/", accounts.large_type, name="large_type"),
    path("login/", accounts.Login.as_view(), name="login"),
    path("logout/", accounts.Logout.as_view(), name="logout"),
    path("password/", accounts.Password.as_view(), name="password"),
    path("kept/", accounts.kept_forms_page, name="kept"),
    path("i18n/language/", accounts.set_language_page, name="set_language"),
    path("healthz", healthz.healthz, name="healthz"),
    path("admin/", admin.site.urls),
]

handler400 = "tracker.views.errors.bad_request"
handler403 = "tracker.views.errors.forbidden"
handler404 = "tracker.views.errors.not_found"
handler500 = "tracker.views.errors.server_error"
