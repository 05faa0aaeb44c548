/// <reference path="../pb_data/types.d.ts" />
// Entitlements, one row per user and feature, computed from the mirrored rows by
// pb_hooks/lib/entitlements/entitlements.js. A row has no Stripe object and no Stripe id, and is deleted with its user.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const MIRRORED = ["stripe_id", "stamp", "customer", "created"]

migrate((app) => {
  const collection = names().find(app, "entitlements")
  collection.removeIndex(`idx_${collection.name}_stripe_id`)
  collection.removeIndex(`idx_${collection.name}_customer`)
  for (const name of MIRRORED) collection.fields.removeByName(name)
  // Stripe ids of the subscriptions, Checkout Sessions and invoices that give the feature now.
  collection.fields.add(new JSONField({ name: "sources", maxSize: 2000000 }))
  collection.fields.getByName("user").cascadeDelete = true
  app.save(collection)
}, (app) => {
  const collection = names().find(app, "entitlements")
  app.db().newQuery(`DELETE FROM ${collection.name}`).execute()
  collection.fields.getByName("user").cascadeDelete = false
  collection.fields.removeByName("sources")
  collection.fields.addAt(1, new TextField({ name: "stripe_id", required: true, max: 255 }))
  collection.fields.add(new TextField({ name: "stamp", hidden: true }))
  collection.fields.add(new DateField({ name: "created" }))
  collection.fields.add(new RelationField({
    name: "customer", maxSelect: 1, collectionId: names().find(app, "customers").id,
  }))
  collection.addIndex(`idx_${collection.name}_stripe_id`, true, "stripe_id", "")
  collection.addIndex(`idx_${collection.name}_customer`, false, "customer", "")
  app.save(collection)
})
