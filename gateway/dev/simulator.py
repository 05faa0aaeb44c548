"""The Stripe simulator as a process."""

import sys
from collections.abc import Mapping
from pathlib import Path

from gateway.dev.gateway_process import StripeAccess
from gateway.dev.pocketbase import ROOT
from gateway.dev.ports import LOOPBACK
from gateway.dev.process import Process, describe_python_path, inherit_environment


class SimulatorProcess(Process):
    """A simulated Stripe account that sends its webhooks to one gateway."""

    def __init__(
        self,
        port: int,
        *,
        log: Path,
        state: Path,
        webhook_url: str,
        secret_key: str,
        webhook_secret: str,
        catalogue: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self.webhook_url = webhook_url
        self.stripe = StripeAccess(secret_key, (webhook_secret,), self.url)
        super().__init__(
            "The Stripe simulator",
            [
                sys.executable,
                "-m",
                "stripe_simulator",
                f"--host={LOOPBACK}",
                f"--port={port}",
                f"--state={state}",
                f"--webhook-url={webhook_url}",
                f"--catalogue={catalogue}" if catalogue else "--seed-catalogue",
            ],
            log=log,
            env={
                **inherit_environment(),
                **describe_python_path(),
                **(env or {}),
                # In the environment, because `ps` shows arguments.
                "STRIPE_SIMULATOR_API_KEY": secret_key,
                "STRIPE_SIMULATOR_WEBHOOK_SECRET": webhook_secret,
                "PYTHONUNBUFFERED": "1",
            },
            health_url=f"{self.url}/",
            cwd=ROOT,
        )
