"""The dependency `Jobs`: a team's endpoints start, read and cancel jobs."""

from typing import Annotated

from fastapi import Depends

from gateway.dependencies import ServicesDep
from gateway.jobs.jobs import Jobs


async def get_jobs(services: ServicesDep) -> Jobs:
    """Return the app's jobs."""
    return services.jobs


JobsDep = Annotated[Jobs, Depends(get_jobs)]
