/// <reference path="../pb_data/types.d.ts" />
// The one row that /ready writes to learn whether PocketBase can.

migrate((app) => {
  app.db().newQuery("CREATE TABLE gateway_write_probe (id INTEGER PRIMARY KEY, written TEXT NOT NULL)").execute()
}, (app) => {
  app.db().newQuery("DROP TABLE gateway_write_probe").execute()
})
