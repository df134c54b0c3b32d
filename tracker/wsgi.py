"""The door for gunicorn and for runserver."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
application = get_wsgi_application()

from tracker.management import recovery  # noqa: E402 - its models need the application

recovery.recover_unfinished()
