/// <reference path="../pb_data/types.d.ts" />
// Whether a transform gets the request of a write, and which of its headers.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const collection = names().find(app, "transforms")
  collection.fields.add(new BoolField({ name: "request" }))
  collection.fields.add(new TextField({ name: "headers" })) // names, comma-separated
  app.save(collection)
}, (app) => {
  const collection = names().find(app, "transforms")
  collection.fields.removeByName("request")
  collection.fields.removeByName("headers")
  app.save(collection)
})
