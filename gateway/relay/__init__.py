"""The relay of PocketBase's queue to procrastinate on PostgreSQL, for many machines.

PocketBase remains the outbox: items are added there, and their rows show the status. One process at
a time moves due items to PostgreSQL and their results back. The tables here hold the items between
their claim and their settle, so that any process can continue after another has died:

1. The relay's claim token is stored before it is used, so items that were claimed under it by a
   process that died are found again.
2. An item and its procrastinate job are inserted in one transaction, under the item's id.
3. A worker stores the result under the id; a result that is there is never replaced.
4. The item is deleted after PocketBase has the result. A result that is sent twice changes nothing,
   because the claim is gone.
"""
