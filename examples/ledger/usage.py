"""Endpoints: a user's balance, and the use of credits."""

from typing import Annotated

from fastapi import Header, HTTPException, Request
from pydantic import BaseModel, Field

from gateway import AlreadyDone, CurrentUser, Router
from ledger.postings import (
    USED,
    InsufficientCredits,
    customer_account,
    post,
    read_amounts,
    read_balance,
)

router = Router()


class Balance(BaseModel):
    """The caller's credits."""

    balance: int


class Usage(BaseModel):
    """A use of the caller's credits."""

    credits: int = Field(gt=0, le=1_000_000)


@router.get("/credits")
async def show_balance(user: CurrentUser, request: Request) -> Balance:
    """Return the caller's credits."""
    async with request.state.ledger.connection() as connection:
        return Balance(balance=await read_balance(connection, user.id))


@router.post("/credits/use")
async def use_credits(
    usage: Usage,
    user: CurrentUser,
    request: Request,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=100)],
) -> Balance:
    """Take credits from the caller; the same Idempotency-Key takes them once."""
    key = f"usage:{user.id}:{idempotency_key}"
    amounts = {customer_account(user.id): -usage.credits, USED: usage.credits}
    async with request.state.ledger.connection() as connection:
        try:
            await post(connection, key, "usage", amounts)
        except AlreadyDone:
            if await read_amounts(connection, key) != amounts:
                raise HTTPException(
                    409, "This Idempotency-Key was used for another amount."
                ) from None
        except InsufficientCredits:
            raise HTTPException(402, "You do not have enough credits.") from None
        return Balance(balance=await read_balance(connection, user.id))
