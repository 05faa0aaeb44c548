/// <reference path="../pb_data/types.d.ts" />
// Stripe customers and purchases without personal data, after `gateway users delete` (docs/personal-data.md). Superusers
// only.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const name = names().namesOf(app)("erasures")
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "object", type: "text", max: 255 }, // a Stripe id, or the record id of the deleted user
      { name: "user", type: "text", max: 100 }, // the deleted user, empty for a guest
      { name: "known", type: "json", hidden: true, maxSize: 200000 }, // what is searched for, until the deletion is complete
      { name: "created", type: "autodate", onCreate: true },
      { name: "finished", type: "date" },
    ],
    indexes: [
      `CREATE UNIQUE INDEX idx_${name}_object ON ${name} (object)`,
      `CREATE INDEX idx_${name}_user ON ${name} (user)`,
    ],
  }))
}, (app) => {
  app.delete(names().find(app, "erasures"))
})
