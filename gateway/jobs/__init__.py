"""Jobs: long work that a client starts, follows, cancels, and whose result it reads.

A job is a row of the queue (`gateway.work`) of kind ``job``. Its user may read the row, so progress
arrives by PocketBase's realtime as well.
"""
