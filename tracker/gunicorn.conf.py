"""How gunicorn serves the program: `gunicorn -c tracker/gunicorn.conf.py tracker.wsgi`.

Options of the command line win over what stands here. Threads are for slow clients and long
exports, not for speed: two workers of four threads serve a fifth fewer requests a second than
three workers of one thread, but three slow clients stop those three.
"""

import os
import sys
from pathlib import Path
from typing import Any

CLOSING_BYTES = 64 * 1024  # of a body after which a connection is closed; strangers send no more
bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
# One worker for each core computes; at least two, so that one that is busy does not hold up the
# rest.
workers = int(os.environ.get("WEB_CONCURRENCY", "0")) or max(2, min(8, os.cpu_count() or 2))
worker_class = "gthread"
threads = 8
# The program is loaded once and shared: a worker that is replaced is there at once, and a fault in
# the settings ends the start in words instead of a loop of workers that die. Restart after an
# update.
preload_app = True
# A worker that does not answer for so long hangs. A long request in a thread is not meant: it goes
# on.
timeout = 60
# An export that runs when the server is stopped may come to its end.
graceful_timeout = 60
keepalive = 5
# Memory that a library never gives back ends with its worker; not all workers at once.
max_requests = 2_000
max_requests_jitter = 400
# The sign of life of the workers: on a full or slow disk it would stop them.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def post_fork(server: Any, worker: Any) -> None:
    """Let threads change places after half a millisecond.

    A page reads some hundred rows and may lose its turn at each: at the usual 5 ms beside an export
    the list took 0.4 s, and up to 1.2 s.
    """
    sys.setswitchinterval(0.0005)


def pre_request(worker: Any, req: Any) -> None:
    """Close the connection after a request with a large body.

    A refused one is left unread; on a connection that stays open a thread would read past all of
    it, as slowly as it comes. The program cannot ask for it: this header is the server's.
    """
    headers = dict(req.headers)
    length = headers.get("CONTENT-LENGTH", "0")
    if "TRANSFER-ENCODING" in headers or (length.isdigit() and int(length) > CLOSING_BYTES):
        req.must_close = True
