"""Brings the mirror in line with Stripe: ``gateway reconcile``, also the first import.

``catch_up`` handles the events that were missed, like deliveries. Then ``lists`` pages through each
of the ``kinds`` at Stripe, ``comparison`` says what differs from the rows, ``repair`` writes it so
that a webhook that comes meanwhile wins, and ``absent`` asks Stripe about rows that no list has.
``run`` remembers the cursor after each page, and ``reconciliation`` is the whole.
"""
