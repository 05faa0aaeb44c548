/// <reference path="../pb_data/types.d.ts" />
// What operating the mirror needs: finding payloads to prune and rows that Stripe no longer lists
// without reading whole tables, and the runs of `gateway reconcile`, each with its place to go on.

const MIRRORS = ["products", "prices", "coupons", "promotion_codes", "tax_rates", "customers",
  "tax_ids", "payment_methods", "setup_intents", "subscriptions", "subscription_schedules",
  "checkout_sessions", "payments", "charges", "refunds", "disputes", "invoices",
  "invoice_payments", "credit_notes"]

migrate((app) => {
  const events = app.findCollectionByNameOrId("stripe_events")
  events.addIndex("idx_stripe_events_payload", false, "created", "payload != ''")
  app.save(events)
  for (const name of MIRRORS) {
    const mirror = app.findCollectionByNameOrId(name)
    mirror.addIndex(`idx_${name}_created`, false, "created", "")
    app.save(mirror)
  }
  app.save(new Collection({
    name: "stripe_reconciliations", type: "base",
    fields: [
      { name: "started", type: "date" },
      { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
      { name: "finished", type: "date" },
      { name: "caught_up", type: "date" }, // all events until then are stored
      { name: "options", type: "json" },
      { name: "position", type: "json" },
      { name: "report", type: "json" },
      { name: "error", type: "text" },
    ],
    indexes: ["CREATE INDEX idx_stripe_reconciliations_started ON stripe_reconciliations (started)"],
  }))
}, (app) => {
  app.delete(app.findCollectionByNameOrId("stripe_reconciliations"))
  for (const name of MIRRORS) {
    const mirror = app.findCollectionByNameOrId(name)
    mirror.removeIndex(`idx_${name}_created`)
    app.save(mirror)
  }
  const events = app.findCollectionByNameOrId("stripe_events")
  events.removeIndex("idx_stripe_events_payload")
  app.save(events)
})
