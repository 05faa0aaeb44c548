"""Prorations: what is given back and charged when items change within a period."""

from stripe_simulator.resources import invoice_items, prices
from stripe_simulator.resources.invoice_lines import pricing
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def build(
    world: World, sub: JSON, old: list[JSON], new: list[JSON], now: int, resets: bool = False
) -> list[JSON]:
    """Invoice items, not yet kept: credits for unused time, debits for the rest of the period.

    When the billing cycle `resets`, whole new periods are billed instead. Usage is never prorated.
    """
    if sub["status"] == "trialing":
        return []
    before = {item["id"]: item for item in old}
    after = {item["id"]: item for item in new}
    built = []
    for id in before | after:
        was, will = before.get(id), after.get(id)
        if was and will and _bills(was) == _bills(will):
            continue
        if was and not _is_metered(was):
            built.append(_part(world, sub, was, now, -1, "Unused time on"))
        if will and not resets and not _is_metered(will):
            built.append(_part(world, sub, will, now, 1, "Remaining time on"))
    return built


def _bills(item: JSON) -> tuple[str, int, int]:
    return item["price"]["id"], item.get("quantity", 1), item["current_period_start"]


def _is_metered(item: JSON) -> bool:
    return bool(item["price"]["recurring"]["usage_type"] == "metered")


def _part(world: World, sub: JSON, item: JSON, now: int, sign: int, words: str) -> JSON:
    start, end = item["current_period_start"], item["current_period_end"]
    price, quantity = item["price"], item.get("quantity", 1)
    share = max(0, end - now) / max(1, end - start)
    amount = sign * round(prices.amount(world, price, quantity) * share)
    product = world.find("product", price["product"])
    name = product["name"] if product else price["product"]
    return invoice_items.build(
        world,
        sub["customer"],
        amount,
        price["currency"],
        description=f"{words} {quantity} x {name}",
        parent=invoice_items.parent_of(sub),
        period={"end": end, "start": now},
        pricing=pricing(price),
        proration=True,
        quantity=quantity,
    )
