"""The name under which handlers know a claimed item."""

from gateway.pocketbase.contracts.work import ClaimedItem

#: A claimed item, as the contract of the exchange route describes it.
WorkItem = ClaimedItem
