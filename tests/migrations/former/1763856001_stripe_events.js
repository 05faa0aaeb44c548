/// <reference path="../pb_data/types.d.ts" />
// Every Stripe event that was acknowledged, as it was signed: the inbox that makes deliveries
// idempotent, decides ties, and is replayed. Superusers only.

migrate((app) => {
  app.save(new Collection({
    name: "stripe_events", type: "base",
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
      { name: "created", type: "date" }, // by Stripe's clock
      { name: "received", type: "date" }, // by ours
      { name: "payload", type: "json", maxSize: 5242880 },
    ],
    indexes: [
      "CREATE UNIQUE INDEX idx_stripe_events_stripe_id ON stripe_events (stripe_id)",
      "CREATE INDEX idx_stripe_events_object ON stripe_events (object_id, created)",
      "CREATE INDEX idx_stripe_events_type ON stripe_events (type, created)",
      "CREATE INDEX idx_stripe_events_created ON stripe_events (created)",
      "CREATE INDEX idx_stripe_events_failed ON stripe_events (created) WHERE outcome = 'failed'",
    ],
  }))
}, (app) => {
  app.delete(app.findCollectionByNameOrId("stripe_events"))
})
