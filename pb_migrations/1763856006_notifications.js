/// <reference path="../pb_data/types.d.ts" />
// The outbox of mails and handler calls, with their outcomes. Superusers only. A row has neither address nor text: both
// are read when it is sent.
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
      // The mirrored row that it is about, and its customer.
      { name: "collection", type: "text" },
      { name: "record", type: "text" },
      { name: "customer", type: "text" },
      { name: "created", type: "date" }, // the event's time, Stripe's clock
      { name: "due", type: "date" }, // earliest time to send
      { name: "expires", type: "date" }, // latest time to send
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
