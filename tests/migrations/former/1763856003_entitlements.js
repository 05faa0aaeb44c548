/// <reference path="../pb_data/types.d.ts" />
// What a user may use, one row a user and feature, computed from the mirrored rows by
// pb_hooks/lib/entitlements/entitlements.js. No object of Stripe's stands behind a row, so it has no Stripe id,
// and a user who is deleted takes theirs along.

const MIRRORED = ["stripe_id", "stamp", "customer", "created"]

migrate((app) => {
  const collection = app.findCollectionByNameOrId("entitlements")
  collection.removeIndex("idx_entitlements_stripe_id")
  collection.removeIndex("idx_entitlements_customer")
  for (const name of MIRRORED) collection.fields.removeByName(name)
  // What gives the feature now: Stripe ids of subscriptions and Checkout Sessions.
  collection.fields.add(new JSONField({ name: "sources", maxSize: 2000000 }))
  collection.fields.getByName("user").cascadeDelete = true
  app.save(collection)
}, (app) => {
  const collection = app.findCollectionByNameOrId("entitlements")
  app.db().newQuery("DELETE FROM entitlements").execute()
  collection.fields.getByName("user").cascadeDelete = false
  collection.fields.removeByName("sources")
  collection.fields.addAt(1, new TextField({ name: "stripe_id", required: true, max: 255 }))
  collection.fields.add(new TextField({ name: "stamp", hidden: true }))
  collection.fields.add(new DateField({ name: "created" }))
  collection.fields.add(new RelationField({
    name: "customer", maxSelect: 1, collectionId: app.findCollectionByNameOrId("customers").id,
  }))
  collection.addIndex("idx_entitlements_stripe_id", true, "stripe_id", "")
  collection.addIndex("idx_entitlements_customer", false, "customer", "")
  app.save(collection)
})
