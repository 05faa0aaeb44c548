"""Settings that only compose.yaml reads, for .env.example and docs/settings.md."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class ComposeSettings(BaseModel):
    """Settings of the containers; docker/README.md shows how they work together."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    domain: str = ""
    """The public domain, for example shop.example.com; Caddy obtains its certificate. Several are
    separated by commas. Empty: plain HTTP for any name, for a developer's machine."""
    http_port: str = "127.0.0.1:8080"
    """Caddy's address for HTTP. In production 80, which is reachable from other machines."""
    https_port: str = "127.0.0.1:8443"
    """Caddy's address for HTTPS. In production 443."""
    caddy_closed_paths: str = ""
    """Further paths that Caddy answers with 404, separated by spaces, for example
    /_/* /admin/* /docs /openapi.json. They stay open on 127.0.0.1:8000. /hooks/* is always
    closed."""
    caddy_gateway_paths: str = ""
    """Paths of your app's own endpoints, separated by spaces, for example /posts/* /export. Other
    paths belong to PocketBase and the frontend."""
    caddy_trusted_proxies: str = "127.0.0.1/32"
    """Networks of proxies in front of Caddy (a CDN, a load balancer), separated by spaces. Only
    their X-Forwarded-For is trusted."""
    caddy_max_upload: str = "64MB"
    """Largest request body for PocketBase."""
    caddy_hsts_seconds: int = 31_536_000
    """Seconds for which browsers use only HTTPS for the domain (Strict-Transport-Security)."""
    caddy_global_options: str = ""
    """A line for Caddy's global options, for example email me@example.com."""
    compose_subnet: str = "172.31.251.0/24"
    """Network of the containers. The gateway trusts X-Forwarded-For from it."""
    project_folder: str = "./docker/project"
    """Folder with your app, price terms, templates, hooks, migrations, public files and frontend
    (docker/README.md), mounted at /project."""
    compose_profiles: str = ""
    """Optional services, separated by commas: simulator, backup, mail, metrics, postgres. Run
    docker/secrets after adding metrics or postgres: it generates their secrets."""
    replicas: int = 1
    """Number of gateways."""
    release: str = "0.1.0"
    """Tag of the gateway's image. docker/release sets it."""
    services_release: str = "0.1.0"
    """Tag of the images of PocketBase and the profiles. docker/upgrade sets it."""
    caddy_release: str = "0.1.0"
    """Tag of Caddy's image. docker/upgrade sets it if the image has changed."""
    previous_release: str = ""
    """RELEASE before the last release, for docker/rollback."""
    previous_services_release: str = ""
    """SERVICES_RELEASE before the last release, for docker/rollback."""
    previous_caddy_release: str = ""
    """CADDY_RELEASE before the last release, for docker/rollback."""
    pull_policy: Literal["build", "if_not_present"] = "build"
    """Whether `up` builds the images. docker/release sets if_not_present, so that `up` keeps the
    images of RELEASE."""
    otel_exporter_otlp_endpoint: str = ""
    """Collector of traces by OTLP over HTTP, for example http://collector:4318. Empty: no traces.
    Other variables of OpenTelemetry go into a compose.override.yaml."""
    otel_service_name: str = "gateway"
    """Name of the gateways in traces."""
    workers: int = 1
    """Number of workers of the profile postgres."""
    prometheus_port: int = 9090
    """Port of Prometheus on 127.0.0.1 (profile metrics)."""
    grafana_port: int = 3000
    """Port of Grafana on 127.0.0.1 (profile metrics)."""
    grafana_admin_password: str = ""
    """Password of Grafana's user admin at its first start. docker/secrets generates one."""
    postgres_password: str = ""
    """Password of PostgreSQL's user gateway at its first start (profile postgres). docker/secrets
    generates one, and GATEWAY_DATABASE_URL with it."""
    prometheus_image: str = ""
    """Another image of Prometheus than the one in compose.yaml."""
    grafana_image: str = ""
    """Another image of Grafana than the one in compose.yaml."""
    node_exporter_image: str = ""
    """Another image of node_exporter than the one in compose.yaml."""
    postgres_image: str = ""
    """Another image of PostgreSQL than the one in compose.yaml."""
    backup_url: str = "file:///backup"
    """Target of the profile backup: s3://bucket/path, gs://…, abs://…, sftp://… or a folder of the
    container as file:///backup."""
    backup_folder: str = "backup"
    """Folder of the host, or volume, at /backup. Use a disk of another machine, writable for the
    user id 10001."""
    litestream_access_key_id: str = ""
    """Key id for BACKUP_URL."""
    litestream_secret_access_key: str = ""
    """Key for BACKUP_URL."""
