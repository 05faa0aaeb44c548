"""A stateful simulator of Stripe's API, in memory, for tests and for development offline.

`World` is the pure core, `Api` Stripe's API over it; `python -m stripe_simulator` serves both.
"""

from stripe_simulator.http.api import Api
from stripe_simulator.http.messages import Answer, Request
from stripe_simulator.settings import API_VERSION, Settings
from stripe_simulator.world import World

__all__ = ["API_VERSION", "Answer", "Api", "Request", "Settings", "World"]
