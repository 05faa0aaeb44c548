/// <reference path="../pb_data/types.d.ts" />
// Index of unresolved events: stored, while their row waits for a read from Stripe. /ready counts them.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const events = names().find(app, "stripe_events")
  events.addIndex(`idx_${events.name}_unresolved`, false, "created", "outcome = 'unresolved'")
  app.save(events)
}, (app) => {
  const events = names().find(app, "stripe_events")
  events.removeIndex(`idx_${events.name}_unresolved`)
  app.save(events)
})
