/// <reference path="../pb_data/types.d.ts" />
// Indexes to find payloads to prune and rows that Stripe no longer lists without scanning tables, and the runs of
// `gateway reconcile` with their cursors.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const MIRRORS = ["products", "prices", "coupons", "promotion_codes", "tax_rates", "customers",
  "tax_ids", "payment_methods", "setup_intents", "subscriptions", "subscription_schedules",
  "checkout_sessions", "payments", "charges", "refunds", "disputes", "invoices",
  "invoice_payments", "credit_notes"]

migrate((app) => {
  const events = names().find(app, "stripe_events")
  events.addIndex(`idx_${events.name}_payload`, false, "created", "payload != ''")
  app.save(events)
  for (const name of MIRRORS) {
    const mirror = names().find(app, name)
    mirror.addIndex(`idx_${mirror.name}_created`, false, "created", "")
    app.save(mirror)
  }
  const name = names().namesOf(app)("reconciliations")
  app.save(new Collection({
    name, type: "base",
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
    indexes: [`CREATE INDEX idx_${name}_started ON ${name} (started)`],
  }))
}, (app) => {
  app.delete(names().find(app, "reconciliations"))
  for (const name of MIRRORS) {
    const mirror = names().find(app, name)
    mirror.removeIndex(`idx_${mirror.name}_created`)
    app.save(mirror)
  }
  const events = names().find(app, "stripe_events")
  events.removeIndex(`idx_${events.name}_payload`)
  app.save(events)
})
