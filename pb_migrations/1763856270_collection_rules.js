/// <reference path="../pb_data/types.d.ts" />
// What migrations made public or hid in each collection, so that `gateway doctor` finds later changes in the dashboard
// (pb_hooks/lib/health/collection_rules.js). Rules that exist now count as a migration's.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const { describeRules } = require(`${__hooks}/lib/health/collection_rules.js`)
  const name = names().namesOf(app)("collection_rules")
  app.db().newQuery(`CREATE TABLE ${name} (collection TEXT PRIMARY KEY, rules TEXT NOT NULL) WITHOUT ROWID`).execute()
  for (const collection of app.findAllCollections()) {
    app.db().newQuery(`INSERT INTO ${name} VALUES ({:id}, {:rules})`)
      .bind({ id: collection.id, rules: JSON.stringify(describeRules(collection)) }).execute()
  }
}, (app) => {
  app.db().newQuery(`DROP TABLE ${names().namesOf(app)("collection_rules")}`).execute()
})
