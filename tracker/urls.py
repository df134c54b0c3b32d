"""The addresses."""

from django.contrib import admin
from django.urls import path

from tracker.views import accounts, details, exports, finding, pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("policies/<slug:slug>/", pages.policy, name="policy"),
    path("policies/<slug:slug>/tasks/", pages.tasks, name="tasks"),
    path("policies/<slug:slug>/tasks/<str:code>/", details.task, name="task"),
    path("policies/<slug:slug>/measures/<str:code>/", details.measure, name="measure"),
    path("policies/<slug:slug>/units/", details.units, name="units"),
    path("policies/<slug:slug>/units/<int:pk>/", details.unit, name="unit"),
    path("units/<int:pk>/", details.unit_everywhere, name="unit_everywhere"),
    path("policies/<slug:slug>/ledger.xlsx", exports.ledger, name="ledger"),
    path("search/", finding.search, name="search"),
    path("large-type/", accounts.large_type, name="large_type"),
    path("login/", accounts.Login.as_view(), name="login"),
    path("logout/", accounts.logout, name="logout"),
    path("password/", accounts.Password.as_view(), name="password"),
    path("kept/", accounts.kept, name="kept"),
    path("i18n/language/", accounts.language, name="set_language"),
    path("admin/", admin.site.urls),
]

handler400 = "tracker.views.errors.bad_request"
handler403 = "tracker.views.errors.forbidden"
handler404 = "tracker.views.errors.not_found"
handler500 = "tracker.views.errors.server_error"
