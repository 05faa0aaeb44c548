"""One more kind of Stripe object in PocketBase: payouts, for the superuser's dashboard."""

from datetime import UTC, datetime

from gateway import Router, Row, StripeObject

router = Router()


@router.mirror("payout", collection="payouts", path="/v1/payouts")
def payout_row(payout: StripeObject, deleted: bool) -> Row:
    """Return the columns of a payout; amounts in the currency's smallest unit."""
    return {
        "status": payout["status"],
        "amount": payout["amount"],
        "currency": payout["currency"],
        "arrival_date": datetime.fromtimestamp(payout["arrival_date"], UTC),
    }
