"""The settings: valid, known, and not contradictory."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.dev.compose_settings import ComposeSettings
from gateway.dev.settings import StackSettings
from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.given import STRIPE, Skipped
from gateway.settings import PocketBaseSettings, Settings, StripeSettings
from gateway.settings_problems import describe_unknown


@check("settings.valid", "All settings are valid")
async def check_valid(context: Context) -> CheckResult:
    """Read them as `gateway serve` does."""
    if problems := context.given.problems:
        return failed(
            problems[0] if len(problems) == 1 else f"{len(problems)} settings are wrong.",
            "Correct them in the environment or in `.env` (docs/settings.md).",
            *(problems if len(problems) > 1 else ()),
        )
    return ok("all settings are valid")


@check("settings.unknown", "No variable is misspelt")
async def check_unknown(context: Context) -> CheckResult:
    """Compare the names in the environment and in `.env` with all settings."""
    given = context.given
    others = [*ComposeSettings.model_fields, *StackSettings.model_fields]
    fields = {*Settings.model_fields, *others, *given.fields}
    unknown = list(describe_unknown(set(given.variables), fields))
    if given.env_file is not None:
        in_file = describe_unknown(set(given.env_file), fields, is_own_file=True)
        unknown += [f"in .env: {each}" for each in in_file]
    if unknown:
        return failed(
            unknown[0] if len(unknown) == 1 else f"{len(unknown)} variables are not settings.",
            "Correct or remove them: until then their settings have the default.",
            *(unknown if len(unknown) > 1 else ()),
        )
    place = "the environment" if given.env_file is None else "the environment and .env"
    return ok(f"no unknown variable in {place}")


@check("settings.consistent", "Settings don't contradict each other", "settings")
async def check_consistent(context: Context) -> CheckResult:
    """Look for combinations that have no effect, or an unexpected one."""
    if context.given.is_remote:
        raise Skipped("the settings of the gateway are not visible from outside")
    found = list(_find_contradictions(context.given.pocketbase_settings))
    if found:
        return warning(
            found[0] if len(found) == 1 else f"{len(found)} combinations of settings.",
            "Change one of the settings (docs/settings.md).",
            *(found if len(found) > 1 else ()),
        )
    return ok("no setting contradicts another")


def _find_contradictions(settings: PocketBaseSettings) -> Iterator[str]:
    if isinstance(settings, StripeSettings):
        key, base = settings.stripe_secret_key.get_secret_value(), settings.stripe_api_base
        if "_live_" in key[:8] and base != STRIPE:
            yield "STRIPE_SECRET_KEY is a live key, but STRIPE_API_BASE is not Stripe."
    if not isinstance(settings, Settings):
        return
    if not settings.gateway_run_work and settings.gateway_database_url is None:
        yield "GATEWAY_RUN_WORK is false: a `gateway worker` has to run the queue."
    if settings.gateway_smtp_url and not settings.gateway_email_notifications:
        yield "GATEWAY_SMTP_URL is set, but GATEWAY_EMAIL_NOTIFICATIONS names no mail."
    if settings.gateway_notify_email and not settings.mail_kinds & {
        "dispute",
        "finalization_failed",
    }:
        yield "GATEWAY_NOTIFY_EMAIL is set, but no mail to the seller is turned on."
    away = urlsplit(settings.pocketbase_url).hostname not in ("localhost", "127.0.0.1", "::1")
    if away and urlsplit(settings.gateway_public_url).hostname in ("localhost", "127.0.0.1"):
        yield (
            "GATEWAY_PUBLIC_URL is an address of this machine, but PocketBase is on another: its"
            " hooks can't reach the gateway."
        )
