/// <reference path="../pb_data/types.d.ts" />
// Orders that jobs page over, and a log of the effects of jobs.
migrate((app) => {
  app.save(new Collection({
    name: "orders", type: "base", listRule: "user = @request.auth.id", viewRule: "user = @request.auth.id",
    fields: [
      { name: "number", type: "number" },
      { name: "title", type: "text" },
      { name: "user", type: "text" },
    ],
  }))
  app.save(new Collection({
    name: "effects", type: "base",
    fields: [
      { name: "job", type: "text" },
      { name: "name", type: "text" },
      { name: "created", type: "autodate", onCreate: true },
    ],
  }))
}, (app) => {
  for (const name of ["orders", "effects"]) app.delete(app.findCollectionByNameOrId(name))
})
