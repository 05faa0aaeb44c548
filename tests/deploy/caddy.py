"""Caddy as a process, with the configuration of its image."""

import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from gateway.dev.pocketbase import ROOT
from gateway.dev.ports import LOOPBACK, pick_free
from gateway.dev.process import Process, inherit_environment
from gateway.dev.stack import Stack

CADDYFILE = ROOT / "docker" / "Caddyfile"


class CaddyProcess(Process):
    """Caddy before the PocketBase and the gateway of a stack."""

    def __init__(self, stack: Stack, folder: Path, env: Mapping[str, str]) -> None:
        self.port, self.tls_port, self.internal_port = pick_free(), pick_free(), pick_free()
        #: Paths that other machines reach.
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.tls_url = f"https://localhost:{self.tls_port}"
        #: Paths that only this machine and the other containers reach.
        self.internal_url = f"http://{LOOPBACK}:{self.internal_port}"
        self.frontend = folder / "frontend"
        ports = stack.plan.ports
        super().__init__(
            "Caddy",
            [str(Path(sys.executable).with_name("caddy")), "run", f"--config={CADDYFILE}"],
            log=folder / "caddy.log",
            env={
                **inherit_environment(),
                "XDG_DATA_HOME": str(folder),
                "DOMAIN": f"http://:{self.port}, {self.tls_url}",
                "CADDY_GLOBAL_OPTIONS": "auto_https disable_redirects",
                "CADDY_INTERNAL_PORT": str(self.internal_port),
                "CADDY_POCKETBASE": f"{LOOPBACK}:{ports.pocketbase}",
                "CADDY_GATEWAY_HOST": "localhost",
                "CADDY_GATEWAY_PORT": str(ports.gateway),
                "CADDY_FRONTEND_FOLDER": str(self.frontend),
                **env,
            },
            health_url=f"{self.internal_url}/caddy-health",
            cwd=folder,
        )

    @property
    def authority(self) -> Path:
        """The certificate of Caddy's own authority."""
        return self.cwd / "caddy" / "pki" / "authorities" / "local" / "root.crt"


def open_client(url: str, address: str = LOOPBACK, **options: object) -> httpx.Client:
    """Return a client that connects from one of this machine's addresses."""
    transport = httpx.HTTPTransport(local_address=address, **options)  # type: ignore[arg-type]
    return httpx.Client(base_url=url, transport=transport, timeout=30)
