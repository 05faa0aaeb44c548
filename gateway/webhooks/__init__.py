"""Stripe's webhooks: endpoint → event → projector → inbox → one transaction.

``endpoint`` takes the delivery, ``event`` verifies it, ``projector`` decides what an event changes
by the object's entry in ``gateway.mirror``, ``inbox`` writes what arrived together, ``settlement``
decides what the clock alone can't.

For operators: ``operations`` handles stored events again and prunes them, ``reconcile`` compares
the rows with Stripe, ``admin`` offers both over HTTP.
"""
