"""The gateway as a process, configured by environment variables."""

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from gateway.dev.pocketbase import ROOT, PocketBaseProcess
from gateway.dev.ports import LOOPBACK
from gateway.dev.process import Process, describe_python_path, inherit_environment
from gateway.dev.project import Project

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True)
class StripeAccess:
    """How the gateway reaches Stripe, and how Stripe signs its deliveries."""

    secret_key: str
    webhook_secrets: tuple[str, ...]
    #: The address of Stripe's API, or of the simulator.
    api_base: str = "https://api.stripe.com"


class GatewayProcess(Process):
    """A gateway beside one PocketBase."""

    def __init__(
        self,
        port: int,
        *,
        log: Path,
        pocketbase: PocketBaseProcess,
        stripe: StripeAccess,
        frontend_origins: Sequence[str],
        env: Mapping[str, str] | None = None,
        project: Project | None = None,
    ) -> None:
        """Describe the process.

        Args:
            project: served and reloaded on save; by default a gateway without reload.
        """
        self.url = f"http://{LOOPBACK}:{port}"
        #: How long to wait for the app: for ever if its developer can repair it meanwhile.
        self._patience = float("inf") if project else 60.0
        module = ("gateway.dev.reload",) if project else ("gateway", "serve")
        super().__init__(
            "The gateway",
            [sys.executable, "-m", *module, f"--host={LOOPBACK}", f"--port={port}"],
            log=log,
            env={
                **_inherit_environment(stripe),
                **describe_python_path(),
                "GATEWAY_PUBLIC_URL": self.url,
                **(env or {}),
                "POCKETBASE_URL": pocketbase.url,
                "POCKETBASE_SUPERUSER_EMAIL": pocketbase.superuser_email,
                "POCKETBASE_SUPERUSER_PASSWORD": pocketbase.superuser_password,
                "STRIPE_SECRET_KEY": stripe.secret_key,
                "STRIPE_WEBHOOK_SECRETS": ",".join(stripe.webhook_secrets),
                "STRIPE_API_BASE": stripe.api_base,
                "GATEWAY_FRONTEND_ORIGINS": ",".join(frontend_origins),
                "PYTHONUNBUFFERED": "1",
            },
            health_url=f"{self.url}/health",
            cwd=project.folder if project else ROOT,
        )

    def wait_healthy(
        self, within: float | None = None, is_cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        """Wait until it serves; see `Process.wait_healthy`."""
        super().wait_healthy(within or self._patience, is_cancelled)

    def wait_ready(
        self, within: float = 60.0, is_cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        """Wait until /ready answers 200.

        Raises:
            StackError: the gateway ended, or was not ready within `within` seconds.
        """
        self._wait_for(f"{self.url}/ready", "ready", within, is_cancelled)

    def retry_app(self) -> None:
        """Load the project's app again if its newest version could not start."""
        self._signal(signal.SIGHUP)

    def wait_registered(
        self, within: float | None = None, is_cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        """Wait until the gateway is ready, or only collections don't match its transforms.

        Collections can be corrected while it runs, for example in the dashboard.

        Raises:
            StackError: the gateway ended, or did not register within `within` seconds.
        """
        within = within or self._patience
        self._wait_for(f"{self.url}/ready", "ready", within, is_cancelled, _is_registered)


def _inherit_environment(stripe: StripeAccess) -> dict[str, str]:
    """Return this process's environment; without its proxies if Stripe is on this machine."""
    inherited = inherit_environment()
    if urlsplit(stripe.api_base).hostname != LOOPBACK:
        return inherited
    return {name: text for name, text in inherited.items() if name.lower() not in _PROXIES}


def _is_registered(answer: httpx2.Response) -> bool:
    if answer.status_code == httpx2.codes.OK:
        return True
    problem = answer.json()
    if not str(problem.get("type", "")).endswith("unfit-collections"):
        return False
    print(f"The gateway is not ready yet: {problem['detail']}", file=sys.stderr)
    return True
