"""The pytest plugin for a project's tests against real services.

    pytest_plugins = ["gateway.testing"]   # in tests/conftest.py

Fixtures: `stack` (PocketBase, the simulator and the app as processes, once per session), `sign_up`,
`user`, `superuser_pb`, `http`, `buy`, `stripe_event`, `clock`, `work_done`, `app_client`. Override
`gateway_project` or `gateway_settings` to test another folder or with other settings. The report of
a failed test has the warnings and errors that the app logged meanwhile.
"""

from gateway.dev.stack import Stack
from gateway.testing.failure_log import pytest_runtest_call as pytest_runtest_call
from gateway.testing.failure_log import pytest_runtest_makereport as pytest_runtest_makereport
from gateway.testing.fixtures import (
    app_client,
    buy,
    clock,
    gateway_project,
    gateway_settings,
    http,
    sign_up,
    stack,
    stripe_event,
    superuser_pb,
    user,
    work_done,
)
from gateway.testing.purchases import Buy
from gateway.testing.simulator import Clock, StripeEvent
from gateway.testing.users import SignedUpUser, SignUp
from gateway.testing.waiting import eventually
from gateway.testing.work import WorkDone

__all__ = [
    "Buy",
    "Clock",
    "SignUp",
    "SignedUpUser",
    "Stack",
    "StripeEvent",
    "WorkDone",
    "app_client",
    "buy",
    "clock",
    "eventually",
    "gateway_project",
    "gateway_settings",
    "http",
    "sign_up",
    "stack",
    "stripe_event",
    "superuser_pb",
    "user",
    "work_done",
]
