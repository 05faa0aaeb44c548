"""Scenarios of the whole account: time passes, and money goes to the bank."""

from stripe_simulator.scenarios.scenario import ACCOUNT, Fields, call, read_number, scenario
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


@scenario(ACCOUNT, "Advance by an hour")
def advance_hour(world: World, account: JSON, fields: Fields) -> None:
    """An hour: drafts become final and are charged."""
    world.clock.advance(3_600)


@scenario(ACCOUNT, "Advance by a day")
def advance_day(world: World, account: JSON, fields: Fields) -> None:
    """A day: retries of failed payments, reminders of trials."""
    world.clock.advance(DAY)


@scenario(ACCOUNT, "Advance by a week")
def advance_week(world: World, account: JSON, fields: Fields) -> None:
    """Seven days."""
    world.clock.advance(7 * DAY)


@scenario(ACCOUNT, "Advance by a month")
def advance_month(world: World, account: JSON, fields: Fields) -> None:
    """32 days: each monthly subscription renews, and its invoice is paid."""
    world.clock.advance(32 * DAY)


@scenario(ACCOUNT, "Advance to what is due next")
def advance_to_next(world: World, account: JSON, fields: Fields) -> None:
    """The next entry of the agenda; nothing if there is none."""
    if world.clock.agenda:
        world.clock.advance_to(world.clock.agenda[0][0])


@scenario(ACCOUNT, "Send a payout", number=("Cents", lambda account: 1_000))
def send_payout(world: World, account: JSON, fields: Fields) -> None:
    """The seller sends money to the bank: pending until the bank answers."""
    call(world, "POST", "/v1/payouts", {"amount": read_number(fields), "currency": "usd"})
