"""The stack: starts, watches and stops its processes in order."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.dev.errors import StackError
from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.plan import StackPlan
from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.ports import is_free
from gateway.dev.process import Process
from gateway.dev.simulator import SimulatorProcess


def _never() -> bool:
    return False


def _ignore(sentence: str) -> None:
    """Report nothing."""


class Stack:
    """PocketBase, the gateway and, if Stripe is simulated, the simulator.

    ``gateway.url``, ``pocketbase.url`` and ``simulator.url`` are the addresses, ``gateway.env`` the
    environment variables of the app, ``gateway.cwd`` its folder.
    """

    def __init__(self, plan: StackPlan) -> None:
        self.plan = plan
        self.pocketbase = _build_pocketbase(plan)
        self.gateway = _build_gateway(plan, self.pocketbase)
        self._simulator = _build_simulator(plan, self.gateway) if plan.is_simulated else None

    @property
    def simulator(self) -> SimulatorProcess:
        """The simulator.

        Raises:
            StackError: this stack uses the real Stripe.
        """
        if self._simulator is None:
            raise StackError("This stack has no simulator.")
        return self._simulator

    @property
    def parts(self) -> tuple[Process, ...]:
        """Return the processes in the order of their start."""
        return tuple(part for stage in self._stages for part in stage)

    @property
    def _stages(self) -> tuple[tuple[Process, ...], ...]:
        # The gateway waits for PocketBase. The simulator starts last, because it delivers its
        # catalogue by webhook at its start and retries a failed delivery much later.
        last = () if self._simulator is None else (self._simulator,)
        if self.plan.hooks:
            # The start of a project's app checks its declarations against PocketBase.
            return (self.pocketbase,), (self.gateway,), last
        return (self.pocketbase, self.gateway), last

    def start(
        self,
        is_cancelled: Callable[[], bool] = _never,
        report: Callable[[str], None] = _ignore,
    ) -> None:
        """Start every part and wait until all can work; stop half-way when cancelled.

        Args:
            is_cancelled: polled while parts start.
            report: receives a sentence at each step.

        Raises:
            StackError: a port is in use, the superuser's password is wrong, or a part does not
                become healthy; whatever had started is ended.
        """
        self._refuse_used_ports()
        try:
            if not self.pocketbase.data_dir.exists():
                report("Creating PocketBase's database …")
            if self.plan.is_throwaway:
                self.pocketbase.copy_migrated()
            self.pocketbase.ensure_superuser(replace=self.plan.superuser.is_generated)
            for stage in self._stages:
                if is_cancelled():
                    return
                for part in stage:
                    report(f"Starting {part.name.replace('The ', 'the ')} …")
                    part.start()
                for part in stage:
                    part.wait_healthy(is_cancelled=is_cancelled)
            # Before the registration PocketBase stores writes without their transforms.
            self.gateway.wait_registered(is_cancelled=is_cancelled)
        except BaseException:
            self.stop()
            raise

    def adopt(self, plan: StackPlan) -> tuple[Process, ...] | None:
        """Give the parts the environments of a plan with other settings.

        Returns:
            The running parts to restart; None if the plan needs another stack.
        """
        if _fix(plan) != _fix(self.plan):
            return None
        new = Stack(plan)
        changed = []
        for part, other in ((self.pocketbase, new.pocketbase), (self.gateway, new.gateway)):
            if part.env != other.env:
                part.env = other.env
                changed.append(part)
        self.plan = plan
        return tuple(part for part in changed if part.is_running)

    def stop(self) -> None:
        """Stop all processes in reverse order."""
        for part in reversed(self.parts):
            part.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _refuse_used_ports(self) -> None:
        ports = self.plan.ports
        wanted = [
            ("PocketBase", ports.pocketbase, "POCKETBASE_PORT"),
            ("the gateway", ports.gateway, "GATEWAY_PORT"),
        ]
        if self.plan.is_simulated:
            wanted.append(("the Stripe simulator", ports.simulator, "SIMULATOR_PORT"))
        for name, port, variable in wanted:
            if not is_free(port):
                raise StackError(
                    f"Port {port} for {name} is in use: stop the process that listens there, or "
                    f"choose another by {variable}."
                )


def _fix(plan: StackPlan) -> tuple[object, ...]:
    """Return what can't change while the parts run."""
    return (
        plan.ports,
        plan.superuser,
        plan.is_simulated,
        plan.hook_secrets,
        plan.catalogue,
        plan.migrations,
    )


def _build_pocketbase(plan: StackPlan) -> PocketBaseProcess:
    return PocketBaseProcess(
        plan.folder / "pb_data",
        plan.ports.pocketbase,
        log=_log(plan, "pocketbase"),
        superuser_email=plan.superuser.email,
        superuser_password=plan.superuser.password,
        public_dir=plan.public_dir,
        env={"GATEWAY_HOOK_SECRETS": plan.hook_secrets, **plan.pocketbase_env},
        automigrate=plan.automigrate,
        migrations=plan.migrations,
        hooks=plan.hooks,
    )


def _build_gateway(plan: StackPlan, pocketbase: PocketBaseProcess) -> GatewayProcess:
    return GatewayProcess(
        plan.ports.gateway,
        log=_log(plan, "gateway"),
        pocketbase=pocketbase,
        stripe=plan.stripe,
        frontend_origins=plan.frontend_origins,
        env={**plan.gateway_env, "GATEWAY_HOOK_SECRETS": plan.hook_secrets},
        project=plan.project,
    )


def _build_simulator(plan: StackPlan, gateway: GatewayProcess) -> SimulatorProcess:
    return SimulatorProcess(
        plan.ports.simulator,
        log=_log(plan, "simulator"),
        state=plan.simulator_state,
        webhook_url=f"{gateway.url}/webhooks/stripe",
        secret_key=plan.stripe.secret_key,
        webhook_secret=plan.stripe.webhook_secrets[0],
        catalogue=plan.catalogue,
    )


def _log(plan: StackPlan, name: str) -> Path:
    return plan.folder / "log" / f"{name}.log"
