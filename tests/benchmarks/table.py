"""The figures of a run as one table, in Markdown, as the READMEs show it."""

ROWS: list[str] = []


def tell(name: str, ours: float, theirs: float, wanted: str, unit: str = "s") -> None:
    """Print one figure beside its peer, and keep it for the table."""
    ratio = f"{ours / theirs:.2f}" if theirs else ""
    peer = f"{theirs:.3g} {unit}" if theirs else ""
    ROWS.append(f"| {name} | {ours:.3g} {unit} | {peer} | {ratio} | {wanted} |")
    print(ROWS[-1], flush=True)


def show() -> None:
    """Print the whole table."""
    print("\n| what, beside which peer | ours | peer | ratio | wanted |\n|---|---|---|---|---|")
    print("\n".join(ROWS))
