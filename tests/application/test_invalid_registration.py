"""A declaration that can't work ends the start, in one sentence that names file and line."""

import sys
from collections.abc import Callable

import pytest

from gateway.dev.errors import StackError
from gateway.dev.gateway_process import GatewayProcess

_HEAD = """
from typing import Any
from pydantic import BaseModel
from gateway import Event, EventContext, Gateway, Router, Row, StripeObject, TransformContext
from gateway import Settings

app = Gateway()

class Article(BaseModel):
    title: str
    subtitle: str = ""

def row(item: StripeObject, deleted: bool) -> Row:
    return {}

def keep(values: dict[str, Any], context: TransformContext) -> None:
    pass

"""
_DO = "(change, context): ..."
_LINES = _HEAD.count("\n")

#: Code below the head → the first line that it names, and what is wrong.
_WRONG = {
    "unknown collection": (
        "@app.transform('artciles', on='create')\ndef f(values, context): ...",
        (1, "no collection artciles"),
    ),
    "missing column": (
        "@app.transform('articles', on='create')\ndef f(values: Article, context): ...",
        (1, "articles has no such column"),
    ),
    "view or system collection": (
        "@app.transform('_superusers', on='create')\ndef f(values, context): ...",
        (1, "collections of PocketBase itself"),
    ),
    "two transforms for one write": (
        "app.transform('articles', on={'create', 'update'})(keep)\n"
        "@app.transform('articles', on='update')\ndef f(values, context): ...",
        (2, "update of articles has a transform already"),
    ),
    "two in a router and the app": (
        "router = Router()\n@router.transform('labels', on='create')\ndef f(v, c): ...\n"
        "@app.transform('labels', on='create')\ndef g(v, c): ...\napp.include_router(router)",
        (2, "create of labels has a transform already"),
    ),
    "unknown operation": (
        "@app.transform('articles', on='read')\ndef f(values, context): ...",
        (1, "operations must be some of"),
    ),
    "a transform without context": (
        "@app.transform('articles', on='create')\ndef f(values): ...",
        (1, "called with two arguments"),
    ),
    "mirrored twice": (
        "m = app.mirror('payout', collection='payouts', path='/v1/payouts')(row)\n"
        "@app.mirror('payout', collection='ledger', path='/v1/payouts')\n"
        "def f(item, deleted): ...",
        (2, "payout is mirrored already"),
    ),
    "mirrored by the gateway": (
        "@app.mirror('invoice', collection='ledger', path='/v1/invoices')\n"
        "def f(item, deleted): ...",
        (1, "invoice is mirrored already, by the gateway itself"),
    ),
    "two mirrors in one collection": (
        "@app.mirror('payout', collection='invoices', path='/v1/payouts')\n"
        "def f(item, deleted): ...",
        (1, "invoices has a mirror already"),
    ),
    "a mirror without its collection": (
        "@app.mirror('payout', collection='payuots', path='/v1/payouts')\n"
        "def f(item, deleted): ...",
        (1, "there is no collection payuots"),
    ),
    "a mirror without its columns": (
        "@app.mirror('payout', collection='ledger', path='/v1/payouts')\ndef f(item, deleted): ...",
        (1, "lacks the columns version, stripe_object"),
    ),
    "a mirror without a path": (
        "@app.mirror('payout', collection='payouts', path='payouts')\ndef f(item, deleted): ...",
        (1, "path must be where Stripe lists"),
    ),
    "a column of the gateway": (
        "@app.column('product', 'name')\ndef f(item): ...",
        (1, "products.name is a column of the gateway"),
    ),
    "a column without a migration": (
        "@app.column('product', 'colour')\ndef f(item): ...",
        (1, "the collection products has no column colour"),
    ),
    "a column of an object without a mirror": (
        "@app.column('payout', 'method')\ndef f(item): ...",
        (1, "the gateway has no mirror of payout"),
    ),
    "a column twice": (
        "@app.column('product', 'tax_code')\ndef f(item): ...\n"
        "@app.column('product', 'tax_code')\ndef g(item): ...",
        (3, "products.tax_code is filled already, by the function at app.py:"),
    ),
    "a command of the gateway": (
        "@app.command('serve')\ndef f(): ...",
        (1, "there is a command serve already"),
    ),
    "a command with a parameter that nothing sets": (
        "@app.command()\ndef f(word: str): ...",
        (1, "the parameter word has no click.option or click.argument"),
    ),
    "an endpoint of the gateway": (
        "@app.post('/portal')\nasync def f(): ...",
        (1, "POST /portal is an endpoint of the gateway already"),
    ),
    "an endpoint below a path parameter of the gateway": (
        "@app.get('/checkout/mine')\nasync def f(): ...",
        (1, "GET /checkout/mine is an endpoint of the gateway already"),
    ),
    "an endpoint of the gateway in a router": (
        "router = Router()\n@router.post('/{name}/portal')\nasync def g(): ...\n"
        "@router.post('/out')\nasync def f(): ...\napp.include_router(router, prefix='/check')\n"
        "outer = Router(prefix='/portal')\nouter.add_api_route('', f, methods=['POST'])\n"
        "app.include_router(outer)",
        (2, "POST /portal is an endpoint of the gateway already"),
    ),
    "unknown event type": (
        "@app.on('customer.subscription.delete')\nasync def f(event, context): ...",
        (1, "did you mean customer.subscription.deleted"),
    ),
    "unknown pattern": (
        "@app.on('invoces.*')\nasync def f(event, context): ...",
        (1, "no event type 'invoces.*'"),
    ),
    "no event type": (
        "@app.on()\nasync def f(event, context): ...",
        (1, "at least one event type"),
    ),
    "a handler without context": (
        "@app.on('invoice.paid')\nasync def f(event): ...",
        (1, "called with two arguments"),
    ),
    "an effect of an unknown collection": (
        "@app.after('artciles')\nasync def f" + _DO,
        (1, "no collection artciles for an effect"),
    ),
    "an effect with an unknown field": (
        "@app.after('articles', fields={'titel'})\nasync def f" + _DO,
        (1, "names the field titel, but articles has no such column"),
    ),
    "an effect of an internal collection": (
        "@app.after('gateway_work')\nasync def f" + _DO,
        (1, "gateway_work is internal to the gateway"),
    ),
    "an effect of a system collection": (
        "@app.after('_superusers')\nasync def f" + _DO,
        (1, "collections of PocketBase itself can have no effect"),
    ),
    "an effect of an unknown operation": (
        "@app.after('articles', {'create', 'read'})\nasync def f" + _DO,
        (1, "operations must be some of create, update, delete"),
    ),
    "fields without updates": (
        "@app.after('articles', 'create', fields={'title'})\nasync def f" + _DO,
        (1, 'on must include "update"'),
    ),
    "an effect without context": (
        "@app.after('articles')\nasync def f(change): ...",
        (1, "called with two arguments"),
    ),
    "two effects of one function": (
        "@app.after('articles', 'create')\n@app.after('articles', 'delete')\nasync def f" + _DO,
        (1, "has an effect for articles already"),
    ),
    "two effects of one name": (
        "@app.after('articles')\nasync def f" + _DO + "\n@app.after('labels')\nasync def f" + _DO,
        (3, "is called after:app.f too"),
    ),
    "no tries": (
        "@app.after('articles', tries=0)\nasync def f" + _DO,
        (1, "tries must be"),
    ),
    "an invalid cron expression": (
        "@app.schedule('0 25 * * *')\nasync def f" + _DO,
        (1, "'0 25 * * *' is not a cron expression: Bad hour"),
    ),
    "an unknown time zone": (
        "@app.schedule('@daily', timezone='Berlin')\nasync def f" + _DO,
        (1, "no time zone 'Berlin'"),
    ),
    "a schedule that neither runs nor skips": (
        "@app.schedule('@daily', missed='both')\nasync def f" + _DO,
        (1, 'missed must be "run" or "skip"'),
    ),
    "a handler with the name of a job": (
        "async def f(event, context): ...\nf.__module__ = 'job'\napp.on('invoice.paid')(f)",
        (1, "is called job.f, but names that begin with job. are reserved"),
    ),
    "a schedule with the name of the gateway's": (
        "@app.schedule('@daily', name='gateway.replay')\nasync def f" + _DO,
        (1, "is called gateway.replay, but names that begin with gateway. are reserved"),
    ),
    "two schedules of one name": (
        "@app.schedule('@daily', name='a')\nasync def f" + _DO + "\n"
        "@app.schedule('@daily', name='a')\nasync def g" + _DO,
        (3, "is called a too"),
    ),
    "two handlers of one name": (
        "@app.on('invoice.paid')\nasync def f(event, context): ...\n"
        "@app.on('invoice.paid')\nasync def f(event, context): ...",
        (3, "is called app.f too"),
    ),
}


@pytest.mark.parametrize("case", _WRONG)
def test_the_start_ends(case: str, start: Callable[..., GatewayProcess]) -> None:
    """By `gateway serve`, with nothing but the sentence."""
    code, (line, said) = _WRONG[case]
    with pytest.raises(StackError) as ended:
        start("app.py", _HEAD + code)
    text = str(ended.value)
    assert f"app.py:{_LINES + line}: " in text or f"app.py:{_LINES + line + 2}: " in text
    assert said in text
    assert "Traceback" not in text


def test_uvicorn_shows_the_same_sentence(start: Callable[..., GatewayProcess]) -> None:
    """The lifespan reports it, without a traceback."""
    code, (line, said) = _WRONG["a mirror without its columns"]
    command = (sys.executable, "-m", "uvicorn", "app:app", "--port=PORT")
    with pytest.raises(StackError) as ended:
        start("app.py", _HEAD + code, *command)
    text = str(ended.value)
    assert f"app.py:{_LINES + line}: " in text
    assert said in text
    assert "Traceback" not in text


def test_two_commands_of_one_name_are_refused(start: Callable[..., GatewayProcess]) -> None:
    """Also one that is called as ours is, when the command line is used."""
    code = _HEAD + "@app.command('serve')\ndef f(): ..."
    with pytest.raises(StackError, match=r"app.py:\d+: there is a command serve already"):
        start("app.py", code)
