"""docs/app.md lists the names that a project's hooks can't have."""

from gateway.dev.pocketbase import ROOT


def test_every_hook_file_is_listed() -> None:
    """All names of pb_hooks, and no other."""
    page = " ".join((ROOT / "docs" / "app.md").read_text().split())
    listed = page.partition("not have the name of one of ours:")[2].partition(", each")[0]
    names = {file.name.removesuffix(".pb.js") for file in (ROOT / "pb_hooks").glob("*.pb.js")}
    assert {part.strip(" `") for part in listed.replace(" and", ",").split(",")} == names
