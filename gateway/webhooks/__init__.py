"""Stripe's webhooks: endpoint → event → projections → projector → inbox → one transaction.

``endpoint`` takes the delivery, ``event`` verifies it, ``projections`` say what each Stripe object
means as a row, ``projector`` decides what an event changes, ``inbox`` writes what arrived together,
``settlement`` decides what the clock alone can't.

For operators: ``operations`` handles stored events again and prunes them, ``reconcile`` compares
the rows with Stripe, ``admin`` offers both over HTTP.
"""
