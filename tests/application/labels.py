"""A plug-in: a module with a router, and one that is nested in FastAPI's own."""

import click

from gateway import Router, TransformContext

router = Router(tags=["labels"])
nested = Router()


@router.transform("labels", on="create")
def name_label(values: dict[str, str], context: TransformContext) -> dict[str, str]:
    """Write labels in capitals."""
    return {"name": values["name"].upper()}


@router.get("/labels")
async def explain_labels() -> dict[str, str]:
    """Explain them."""
    return {"labels": "are written in capitals"}


@nested.transform("labels", on="update")
def refuse_long_labels(values: dict[str, str], context: TransformContext) -> dict[str, str]:
    """Cut long labels."""
    return {"name": values["name"][:5]}


@nested.command("print-label")
def print_label() -> None:
    """Print a label."""
    click.echo("a label")
