/// <reference path="../pb_data/types.d.ts" />
// Whether an active entitlement has ended by time (pb_hooks/lib/entitlements/lapse.js). Those that had ended before are
// marked without an event.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const collection = names().find(app, "entitlements")
  collection.fields.add(new BoolField({ name: "lapsed", hidden: true }))
  collection.addIndex(`idx_${collection.name}_lapse`, false, "active_until", "active = true AND lapsed = false")
  app.save(collection)
  app.db().newQuery(`
    UPDATE \`${collection.name}\` SET lapsed = true
    WHERE active = true AND active_until <= strftime('%Y-%m-%d %H:%M:%fZ')
  `).execute()
}, (app) => {
  const collection = names().find(app, "entitlements")
  collection.removeIndex(`idx_${collection.name}_lapse`)
  collection.fields.removeByName("lapsed")
  app.save(collection)
})
