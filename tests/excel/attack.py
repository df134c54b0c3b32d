"""Read every attack, or every bomb, of the corpus in a process of its own, held to 10 seconds of
work and 512 MB.
"""

import os
import resource
import sys
import time
from io import BytesIO
from pathlib import Path

SECONDS, MEGABYTES = 10, 512


def read(content: bytes) -> str:
    """Read every sheet of a workbook to its end; say what became of it."""
    from tracker.excel.reader import WorkbookReader, WorkbookRefused

    try:
        book = WorkbookReader(BytesIO(content))
        for sheet in book.sheets:
            for _line in book.lines(sheet):
                pass
    except WorkbookRefused as refusal:
        return f"refused: {refusal}"
    return "read"


def main() -> int:
    """Print a line for each of them; fail when one costs too much or raises."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    import django

    django.setup()
    from tests.excel import corpus

    failed = 0
    for name, content, wanted in getattr(corpus, sys.argv[1])(Path(sys.argv[2]).read_bytes()):
        child = os.fork()
        if not child:
            # What the parent took to make the file counts too: the bound is above it.
            lines = Path("/proc/self/status").read_text().splitlines()
            held = int(next(line for line in lines if "VmSize" in line).split()[1])
            limit = held * 1024 + MEGABYTES * 1_000_000
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            start = time.process_time()
            found = read(content)
            took = time.process_time() - start
            fits = took <= SECONDS and (found == "read") == (wanted != corpus.REFUSED)
            print("ok " if fits else "NO ", f"{took:5.1f} s", name, "->", found[:100], flush=True)
            os._exit(not fits)
        _pid, status = os.waitpid(child, 0)
        failed += bool(status)
        if os.WIFSIGNALED(status):
            print("NO ", name, "killed", flush=True)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
