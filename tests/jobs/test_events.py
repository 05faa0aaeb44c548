"""The server-sent events of a job."""

import asyncio

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.jobs.client import JobClient, read_events


async def test_events_show_each_state_and_the_result(jobs: JobClient) -> None:
    """Progress, then the result, after which the stream ends; proxies don't hold it back."""
    id = await jobs.start("shout", {"text": "x"})
    async with jobs.stream(id) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        assert "no-store" in response.headers["cache-control"]
        assert "no-transform" in response.headers["cache-control"]
        events = [event async for event in read_events(response)]
    assert [event.name for event in events[:-1]] == ["progress"] * (len(events) - 1)
    assert (events[-1].name, events[-1].data) == (
        "result",
        {"status": "done", "result": {"text": "X"}},
    )
    assert len({event.id for event in events}) == len(events)


@pytest.mark.parametrize(
    ("name", "body", "event", "error"),
    [
        ("refuse", {"text": "x"}, "failed", "There is nothing to do with x."),
        ("sleep", None, "failed", "The job failed."),
    ],
)
async def test_a_failure_is_an_event(
    jobs: JobClient, name: str, body: object, event: str, error: str
) -> None:
    """The last event has the text for the user."""
    events = await jobs.follow(await jobs.start(name, body))
    assert (events[-1].name, events[-1].data["error"]) == (event, error)


async def test_changes_arrive_while_the_client_waits(jobs: JobClient) -> None:
    """A client that follows a waiting job sees its progress and cancellation within seconds."""
    id = await jobs.start("wait", {"text": "x"})
    async with asyncio.timeout(10), jobs.stream(id) as response:
        events = read_events(response)
        async for event in events:
            if (event.data["progress"] or {}).get("fraction") == 0.5:
                break
        await jobs.cancel(id)
        last = [event async for event in events][-1]
    assert (last.name, last.data["status"]) == ("cancelled", "cancelled")


async def test_a_client_resumes_after_its_last_event(jobs: JobClient) -> None:
    """The state that it has is not repeated; with the last event, 204 ends reconnecting."""
    id = await jobs.start("wait", {"text": "x"})
    async with asyncio.timeout(10), jobs.stream(id) as response:
        async for event in read_events(response):
            if (event.data["progress"] or {}).get("fraction") == 0.5:
                seen = event
                break
    async with asyncio.timeout(10), jobs.stream(id, seen.id) as response:
        await jobs.cancel(id)
        rest = [event async for event in read_events(response)]
    assert seen.id not in [event.id for event in rest]
    assert rest[-1].name == "cancelled"
    async with jobs.stream(id, rest[-1].id) as response:
        assert response.status_code == 204


@pytest.mark.parametrize(
    "last",
    ["0", "-1", "9" * 4000, "' || 1=1 --", "../..", "{}", "x\ty", b"\xff\xfe", b"caf\xc3\xa9"],
)
async def test_any_last_event_id_is_harmless(jobs: JobClient, last: str | bytes) -> None:
    """A value that is no event's id gets the present state."""
    id = (await jobs.run("shout", {"text": "x"}))["id"]
    async with jobs.stream(id, last) as response:
        assert response.status_code == 200
        assert [event.name async for event in read_events(response)] == ["result"]


async def test_streams_per_caller_are_limited(jobs: JobClient) -> None:
    """The twenty-first open stream of a user gets 429; a closed one makes room."""
    id = await jobs.start("wait", {"text": "x"})
    limits = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as http:
        client = JobClient(http, jobs.url, jobs.token)
        async with asyncio.timeout(20):
            open_streams = [client.stream(id) for _ in range(20)]
            for each in open_streams:
                response = await each.__aenter__()
                assert response.status_code == 200
            async with client.stream(id) as refused:
                assert refused.status_code == 429
            for each in open_streams:
                await each.__aexit__(None, None, None)
    await jobs.cancel(id)
    assert (await jobs.follow(id))[-1].name == "cancelled"


async def test_quiet_streams_have_heartbeats(jobs: JobClient, stack: Stack) -> None:
    """A stream begins with a comment, so that the client and its proxies see it open."""
    id = await jobs.start("wait", {"text": "x"})
    async with asyncio.timeout(10), jobs.stream(id) as response:
        assert await anext(response.aiter_lines()) == ": ping"
    await jobs.cancel(id)


async def test_head_ends_at_once(jobs: JobClient) -> None:
    """HEAD on an open stream answers with its head, and the connection serves the next request."""
    id = await jobs.start("wait", {"text": "x"})
    headers = {"Authorization": f"Bearer {jobs.token}"}
    limits = httpx.Limits(max_connections=1)
    async with asyncio.timeout(10), httpx.AsyncClient(limits=limits, trust_env=False) as http:
        head = await http.head(f"{jobs.url}/jobs/{id}/events", headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith("text/event-stream")
        assert (await JobClient(http, jobs.url, jobs.token).cancel(id)).status_code == 200
