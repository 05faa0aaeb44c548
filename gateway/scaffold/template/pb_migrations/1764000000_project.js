/// <reference path="../.local/pb_data/types.d.ts" />
// The collections that app.py uses. Changes in the dashboard of `gateway dev` become further files.
migrate((app) => {
  app.save(new Collection({
    name: "posts", type: "base",
    listRule: "", viewRule: "", createRule: "@request.auth.collectionName = 'users'",
    updateRule: "author = @request.auth.id", deleteRule: "author = @request.auth.id",
    fields: [
      { name: "title", type: "text", required: true, max: 200 },
      { name: "author", type: "text" },
      { name: "created", type: "autodate", onCreate: true },
    ],
  }))
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
    ],
    indexes: ["CREATE UNIQUE INDEX idx_payouts_stripe_id ON payouts (stripe_id)"],
  }))
  app.save(new Collection({
    name: "thanks", type: "base",
    listRule: "user = @request.auth.id", viewRule: "user = @request.auth.id",
    fields: [{ name: "event", type: "text", required: true }, { name: "user", type: "text" }],
    indexes: ["CREATE UNIQUE INDEX idx_thanks_event ON thanks (event)"],
  }))
}, (app) => {
  for (const name of ["thanks", "payouts", "posts"]) app.delete(app.findCollectionByNameOrId(name))
})
