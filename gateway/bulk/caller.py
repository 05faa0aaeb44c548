"""The client with which a job reads and writes for its user."""

from gateway.jobs.context import JobContext
from gateway.pocketbase.api import NotFound, PocketBaseClient
from gateway.work import GiveUp

_TOKEN_SECONDS = 86_400


async def open_caller(job: JobContext, as_user: bool) -> PocketBaseClient:
    """Return a client of the job's user, so that API rules apply; or the superuser's.

    Raises:
        GiveUp: the job has no user, or the account was deleted.
    """
    if not as_user:
        return job.pocketbase
    if not job.user or "/" in job.user:
        raise GiveUp("Only a user's job reads and writes as its user: pass as_user=False.")
    users = job.settings.collection_names.of("users")
    try:
        auth = await job.pocketbase.collection(users).impersonate(job.user, _TOKEN_SECONDS)
    except NotFound:
        raise GiveUp("The account was deleted.") from None
    return job.pocketbase.with_token(auth.token)
