/// <reference path="../pb_data/types.d.ts" />
// The one row that /ready writes to check that PocketBase can write.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const name = names().namesOf(app)("write_probe")
  app.db().newQuery(`CREATE TABLE ${name} (id INTEGER PRIMARY KEY, written TEXT NOT NULL)`).execute()
}, (app) => {
  app.db().newQuery(`DROP TABLE ${names().namesOf(app)("write_probe")}`).execute()
})
