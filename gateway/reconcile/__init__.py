"""``gateway reconcile``: compares every row with Stripe and repairs differences; the first import.

``catch_up`` processes missed events like deliveries. Then ``lists`` pages through Stripe's lists
(``listed_objects``), ``comparison`` finds differences, ``repair`` writes them so that a concurrent
webhook wins, and ``absent_rows`` looks up rows that no list contains. ``run`` stores the cursor
after each page; ``reconciliation`` runs all steps.
"""
