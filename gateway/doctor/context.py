"""The deployment that `gateway doctor` checks."""

from dataclasses import dataclass

from gateway.doctor.clients import Clients
from gateway.doctor.facts import Facts
from gateway.doctor.given import Given


@dataclass(frozen=True, slots=True)
class Context:
    """The argument of each check."""

    given: Given
    clients: Clients
    facts: Facts
