/// <reference path="../pb_data/types.d.ts" />
// The effects that the running app declares: functions that run after changes of records (docs/extending/after.md).
// Their triggers store the work (pb_hooks/lib/effects/triggers.js). Superusers only.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const name = names().namesOf(app)("effects")
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "handler", type: "text", max: 510 },
      { name: "collection", type: "text", max: 255 }, // its name in the app
      { name: "collection_ref", type: "text", max: 255 }, // its id: it may be renamed
      { name: "event", type: "text", max: 100 }, // a domain event; empty for changes of records
      { name: "operations", type: "json" }, // create, update, delete
      { name: "fields", type: "json" }, // updates that change one of these; empty: any field
      { name: "key", type: "text", max: 100 }, // order of events: object, customer or empty
      { name: "tries", type: "number", onlyInt: true },
      { name: "at_most_once", type: "bool" },
      { name: "started", type: "number", onlyInt: true }, // of the gateway that registered it, in milliseconds
    ],
    indexes: [
      `CREATE INDEX idx_${name}_collection ON ${name} (collection)`,
      `CREATE INDEX idx_${name}_collection_ref ON ${name} (collection_ref)`,
    ],
  }))
}, (app) => {
  const found = arrayOf(new DynamicModel({ name: "" }))
  app.db().newQuery("SELECT name FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, 14) = 'gateway_after_'").all(found)
  for (const { name } of found) app.db().newQuery(`DROP TRIGGER ${name}`).execute()
  app.delete(names().find(app, "effects"))
})
