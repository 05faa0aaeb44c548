"""Messages to buyers, as records that the page receives by realtime."""

from gateway import Event, EventContext, Router

router = Router()


@router.on("purchase.completed")
async def thank(event: Event, context: EventContext) -> None:
    """Thank the user or the organization that bought; guests have neither."""
    if event.user or event.organization:
        await context.pocketbase.collection("messages").create(
            {
                "event": event.id,
                "user": event.user,
                "organization": event.organization,
                "text": "Thank you for your purchase!",
            }
        )
