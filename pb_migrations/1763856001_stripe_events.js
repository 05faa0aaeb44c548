/// <reference path="../pb_data/types.d.ts" />
// Every acknowledged Stripe event with its signed payload: makes deliveries idempotent, resolves conflicts and can be
// replayed. Superusers only.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const name = names().namesOf(app)("stripe_events")
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "stripe_id", type: "text", required: true, max: 255 },
      { name: "type", type: "text" },
      { name: "outcome", type: "text" }, // applied, superseded, unmirrored, foreign or failed
      { name: "error", type: "text" },
      { name: "attempts", type: "number" },
      { name: "object_id", type: "text" },
      { name: "account", type: "text" },
      { name: "api_version", type: "text" },
      { name: "livemode", type: "bool" },
      { name: "created", type: "date" }, // Stripe's clock
      { name: "received", type: "date" }, // the gateway's clock
      { name: "payload", type: "json", maxSize: 5242880 },
    ],
    indexes: [
      `CREATE UNIQUE INDEX idx_${name}_stripe_id ON ${name} (stripe_id)`,
      `CREATE INDEX idx_${name}_object ON ${name} (object_id, created)`,
      `CREATE INDEX idx_${name}_type ON ${name} (type, created)`,
      `CREATE INDEX idx_${name}_created ON ${name} (created)`,
      `CREATE INDEX idx_${name}_failed ON ${name} (created) WHERE outcome = 'failed'`,
    ],
  }))
}, (app) => {
  app.delete(names().find(app, "stripe_events"))
})
