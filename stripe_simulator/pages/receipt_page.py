"""The hosted page of an invoice."""

from html import escape

from stripe_simulator.pages.layout import page, table
from stripe_simulator.world import World


def show(world: World, id: str) -> str:
    """The invoice's lines and total."""
    invoice = world.get("invoice", id)
    rows = [[line["description"] or "", str(line["amount"])] for line in invoice["lines"]["data"]]
    rows.append(["Total", str(invoice["total"])])
    text = f"<p>Invoice {escape(invoice['number'] or 'draft')}: {escape(invoice['status'])}</p>"
    return page("Invoice", text + table(["Line", "Amount"], rows))
