"""Many concurrent writes: of one record, and with a transform that never ends."""

import asyncio

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.deadline import eventually
from tests.hostile.conftest import ELSEWHERE, WITH


async def test_what_is_computed_fits_what_it_is_computed_from(api: httpx.AsyncClient) -> None:
    """After many updates of one record at once, text and computed number are of the same one."""
    made = (await api.post("/computed/records", json={"text": "a"})).json()
    path = f"/computed/records/{made['id']}"
    texts = ["x" * length for length in range(1, 25)]
    answers = await asyncio.gather(*(api.patch(path, json={"text": text}) for text in texts))
    assert {answer.status_code for answer in answers} == {200}
    for text, answer in zip(texts, answers, strict=True):
        assert (answer.json()["text"], answer.json()["number"]) == (text, len(text))
    stored = (await api.get(path)).json()
    assert stored["text"] in texts
    assert stored["number"] == len(stored["text"])


@pytest.mark.parametrize("hung", [15, 60])
async def test_hung_transforms_hold_nobody_else(api: httpx.AsyncClient, hung: int) -> None:
    """While fewer or more writes than PocketBase has VMs hang, other collections are served."""
    name = f"hung beside {hung - 1}"
    waiting = [asyncio.create_task(_write(api, "hung", name)) for _ in range(hung)]

    async def have_arrived() -> bool:
        query = {"filter": f"text = '{name}'", "perPage": 1}
        page = (await api.get(f"/{ELSEWHERE}/records", params=query)).json()
        return bool(page["totalItems"] == hung)

    await eventually(have_arrived)
    for collection in (ELSEWHERE, WITH):
        answers = await asyncio.gather(*(_write(api, collection) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
    assert not any(task.done() for task in waiting)
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {503}


async def test_a_batch_of_fifty_is_one_call(api: httpx.AsyncClient, hostile_stack: Stack) -> None:
    """All items of a batch reach the gateway in one request, and each is transformed."""
    path = "/api/collections/computed/records"
    texts = ["x" * length for length in range(1, 51)]
    items = [{"method": "POST", "url": path, "body": {"text": text}} for text in texts]
    log = hostile_stack.gateway.log
    before = len(log.read_text().splitlines())
    answer = await api.post("../batch", json={"requests": items})
    assert [item["body"]["number"] for item in answer.json()] == list(range(1, 51))
    lines = [line for line in log.read_text().splitlines()[before:] if "msg=transform " in line]
    assert len(lines) == 50
    assert len({line.rsplit("request=", 1)[1] for line in lines}) == 1


async def _write(api: httpx.AsyncClient, collection: str, text: str = "a") -> httpx.Response:
    return await api.post(f"/{collection}/records", json={"text": text})
