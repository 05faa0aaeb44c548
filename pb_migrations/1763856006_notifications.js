/// <reference path="../pb_data/types.d.ts" />
// The outbox: who is to be told of which Stripe event, and what became of it. Superusers only. A row
// holds no address and no text: both are looked up when it is sent.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const name = names().namesOf(app)("notifications")
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "event", type: "text", required: true, max: 255 }, // the event's Stripe id
      { name: "kind", type: "text" }, // receipt, refund, …, or the event's type
      { name: "via", type: "text" }, // mail, or a handler's name
      { name: "status", type: "text" }, // waiting, sending, sent, failed or skipped
      { name: "reason", type: "text" },
      { name: "attempts", type: "number" },
      // What it is about: a row of the mirror, and a customer's.
      { name: "collection", type: "text" },
      { name: "record", type: "text" },
      { name: "customer", type: "text" },
      { name: "created", type: "date" }, // the event, by Stripe's clock
      { name: "due", type: "date" }, // not to be sent before
      { name: "expires", type: "date" }, // nor after
      { name: "claimed", type: "date" },
      { name: "settled", type: "date" },
    ],
    indexes: [
      `CREATE INDEX idx_${name}_due ON ${name} (due) WHERE status = 'waiting'`,
      `CREATE INDEX idx_${name}_event ON ${name} (event)`,
      `CREATE INDEX idx_${name}_status ON ${name} (status, created)`,
    ],
  }))
}, (app) => {
  app.delete(names().find(app, "notifications"))
})
