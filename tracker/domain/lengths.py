"""How long a text may be that people type: enough for any report, and bounded for every reader."""

MAX_TEXT_LENGTH = 5000  # characters


def text_length(text: str) -> int:
    """Count the characters of a text; a line end is one, whichever way it is written."""
    return len(text) - text.count("\r\n")


def same_text(one: str, other: str) -> bool:
    """Say whether two texts differ in nothing but the way in which line ends are written."""
    return one.replace("\r\n", "\n") == other.replace("\r\n", "\n")
