"""The API with the contract around it, and around every event."""

from stripe_simulator.contract.contract import Contract
from stripe_simulator.errors import StripeError
from stripe_simulator.http.api import Api
from stripe_simulator.http.messages import Answer, Request
from stripe_simulator.world import World


class CheckedApi(Api):
    """A bad request is Stripe's 400; a bad answer of ours is a 500; both are kept."""

    def __init__(self, world: World, api_key: str | None = None) -> None:
        super().__init__(world, api_key)
        self.contract = Contract()
        world.listeners.append(self.contract.check_event)

    def act(self, request: Request) -> Answer:
        """Check, act, check."""
        refused = self.contract.check_request(request)
        if refused is not None:
            return self.failed(request, refused)
        answer = Api.act(self, request)
        violation = self.contract.check_answer(request, answer)
        if violation is None:
            return answer
        message = f"The simulator broke the contract at {violation['at']}: {violation['message']}"
        return self.failed(request, StripeError(500, "api_error", message))
