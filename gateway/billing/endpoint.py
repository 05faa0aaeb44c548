"""The routes of /portal, /subscriptions and /usage."""

from fastapi import APIRouter

from gateway.billing.portal.endpoint import router as portal_router
from gateway.billing.subscriptions.endpoint import router as subscriptions_router
from gateway.billing.usage.endpoint import cancel_router as cancel_usage_router
from gateway.billing.usage.endpoint import router as usage_router

router = APIRouter()
router.include_router(portal_router)
router.include_router(subscriptions_router)
router.include_router(usage_router)
router.include_router(cancel_usage_router)
