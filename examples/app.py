"""The example shop: its parts in one app, which `gateway dev` and `gateway serve` find here."""

from gateway import Gateway
from shop import commands, messages, payouts, posts, publishing

app = Gateway()

for part in (posts, publishing, payouts, messages, commands):
    app.include_router(part.router)
