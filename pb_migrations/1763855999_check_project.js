/// <reference path="../pb_data/types.d.ts" />
// Before anything is changed: can this project take the gateway's collections? Without this check a
// name that is taken, or a missing `users`, ends the first migration half-way with PocketBase's own
// words, which name no remedy. The collections are listed here because migrations can't share code.

const FIRST = "1763856000_stripe_mirror.js"
const NAMES = [
  "billing_contacts", "charges", "checkout_attempts", "checkout_keys", "checkout_sessions", "coupons", "credit_notes",
  "customer_tasks", "customers", "disputes", "entitlement_summaries", "entitlements", "follow_ups",
  "gateway_transforms", "invoice_payments", "invoices", "membership_invitations", "memberships",
  "organizations", "payment_methods", "payments", "prices", "products", "promotion_codes",
  "refunds", "setup_intents", "stripe_events", "stripe_notifications", "stripe_reconciliations",
  "subscription_schedules", "subscriptions", "tax_ids", "tax_rates", "trials",
]

function isInstalled(app) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery("SELECT count(*) AS count FROM _migrations WHERE file = {:file}")
    .bind({ file: FIRST }).one(found)
  return found.count > 0
}

function checkNames(app) {
  const taken = app.findAllCollections().map((collection) => collection.name)
    .filter((name) => NAMES.includes(name.toLowerCase())).sort()
  if (taken.length === 0) return
  throw new Error(`The gateway makes collections of its own named ${taken.join(", ")}, and this ` +
    "project already has collections of these names: rename yours in the dashboard (and in the code " +
    "that reads them) before you add the gateway, or give the gateway a PocketBase of its own. " +
    "Nothing was changed.")
}

function checkUsers(app) {
  const users = app.findAllCollections().find((collection) => collection.name === "users")
  if (users && users.isAuth()) return
  throw new Error("The gateway needs an auth collection named users: those who buy sign in there. " +
    `This project has ${users ? "a collection of that name that is not an auth collection" : "none"}: ` +
    "create it, or rename your auth collection to users, before you add the gateway. Nothing was changed.")
}

migrate((app) => {
  if (isInstalled(app)) return
  checkNames(app)
  checkUsers(app)
}, () => {})
