"""PocketBase, two gateways and a worker of one app, in either of its releases."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import StackPlan, plan_throwaway
from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from tests.pocketbase_alone import start_alone

_APP = "tests.faults.work_app"
_MIGRATIONS = Path(__file__).parent / "pb_migrations"


class Replica(GatewayProcess):
    """A gateway or worker that is configured for either release."""

    def install(self, release: str) -> None:
        """Take this release at the next start: "old" or "new"."""
        self.env["GATEWAY_APP"] = f"{_APP}:{release}"

    @property
    def release(self) -> str:
        """The release of the next start."""
        return self.env["GATEWAY_APP"].rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Replicas:
    """All processes."""

    pocketbase: PocketBaseProcess
    gateways: tuple[Replica, Replica]
    worker: Replica

    @property
    def all(self) -> tuple[Replica, ...]:
        """Return the processes that run work."""
        return (*self.gateways, self.worker)


@contextmanager
def open_replicas(folder: Path, effect_log: str) -> Iterator[Replicas]:
    """Start PocketBase; the replicas are described, and are started by the test."""
    env = {"GATEWAY_UPSTREAM_TIMEOUT": "3", "EFFECT_LOG": effect_log}
    plan = replace(plan_throwaway(folder, env), migrations=(_MIGRATIONS,))
    pocketbase = Stack(plan).pocketbase
    first, second, worker = (
        _describe(name, plan, pocketbase) for name in ("gateway 1", "gateway 2", "worker")
    )
    worker.command = (*worker.command[:3], "worker")
    with ExitStack() as ends:
        for part in (pocketbase, first, second, worker):
            ends.callback(part.stop)
        start_alone(pocketbase)
        yield Replicas(pocketbase, (first, second), worker)


def _describe(name: str, plan: StackPlan, pocketbase: PocketBaseProcess) -> Replica:
    replica = Replica(
        pick_free(),
        log=plan.folder / "log" / f"{name}.log",
        pocketbase=pocketbase,
        stripe=plan.stripe,
        frontend_origins=plan.frontend_origins,
        env={**plan.gateway_env, "GATEWAY_HOOK_SECRETS": plan.hook_secrets, "REPLICA": name},
    )
    replica.name = name
    return replica
