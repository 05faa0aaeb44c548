/// <reference path="../../.local/pb_data/types.d.ts" />
// Payouts, which app.py mirrors, and messages to buyers, which its event handler writes.

const IS_USER = '@request.auth.collectionName = "users"'
const IS_FOR_ME = `${IS_USER} && (user = @request.auth.id ||` +
  " organization.memberships_via_organization.user ?= @request.auth.id)"

migrate((app) => {
  // stripe_id, version, stripe_object and created are needed for every mirrored object.
  app.save(new Collection({
    name: "payouts", type: "base",
    fields: [
      { name: "stripe_id", type: "text", required: true },
      { name: "version", type: "text", hidden: true },
      { name: "stripe_object", type: "json", hidden: true, maxSize: 2000000 },
      { name: "created", type: "date" },
      { name: "status", type: "text" },
      { name: "amount", type: "number" },
      { name: "currency", type: "text" },
      { name: "arrival_date", type: "date" },
    ],
    indexes: ["CREATE UNIQUE INDEX idx_payouts_stripe_id ON payouts (stripe_id)"],
  }))
  const relation = (name, collection) => ({
    name, type: "relation", maxSelect: 1, cascadeDelete: true,
    collectionId: app.findCollectionByNameOrId(collection).id,
  })
  app.save(new Collection({
    name: "messages", type: "base",
    listRule: IS_FOR_ME, viewRule: IS_FOR_ME, deleteRule: IS_FOR_ME,
    fields: [
      { name: "event", type: "text", required: true },
      relation("user", "users"),
      relation("organization", "organizations"),
      { name: "text", type: "text", required: true },
      { name: "created", type: "autodate", onCreate: true },
    ],
    indexes: [
      "CREATE UNIQUE INDEX idx_messages_event ON messages (event)",
      "CREATE INDEX idx_messages_user ON messages (user)",
      "CREATE INDEX idx_messages_organization ON messages (organization)",
    ],
  }))
}, (app) => {
  for (const name of ["messages", "payouts"]) app.delete(app.findCollectionByNameOrId(name))
})
