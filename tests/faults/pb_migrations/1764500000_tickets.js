/// <reference path="../../../pb_data/types.d.ts" />
// Collections of the app in work_app.py. No autodate field, so that a repeated update changes nothing.
migrate((app) => {
  app.save(new Collection({ name: "tickets", type: "base", fields: [{ name: "number", type: "number" }] }))
  app.save(new Collection({
    name: "shipments", type: "base", fields: [{ name: "ticket", type: "text" }, { name: "number", type: "number" }],
  }))
}, (app) => {
  for (const name of ["shipments", "tickets"]) app.delete(app.findCollectionByNameOrId(name))
})
