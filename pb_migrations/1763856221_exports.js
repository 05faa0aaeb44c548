/// <reference path="../pb_data/types.d.ts" />
// The files that jobs export for their users.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const nameOf = names().namesOf(app)
  const name = nameOf("exports")
  const auth = app.findCollectionByNameOrId(nameOf("users"))
  const isOwn = `user != "" && user = @request.auth.id && @request.auth.collectionName = "${nameOf("users")}"`
  app.save(new Collection({
    name, type: "base", listRule: isOwn, viewRule: isOwn, deleteRule: isOwn,
    fields: [
      // The owner; empty for superusers only.
      { name: "user", type: "relation", collectionId: auth.id, maxSelect: 1, cascadeDelete: true },
      { name: "collection", type: "text", max: 255 }, // that is exported
      { name: "format", type: "text", max: 20 }, // csv, jsonl or parquet
      { name: "rows", type: "number", onlyInt: true },
      { name: "file", type: "file", maxSelect: 1, maxSize: 1073741824, protected: true },
      { name: "created", type: "autodate", onCreate: true },
    ],
    indexes: [`CREATE INDEX idx_${name}_user ON ${name} (user, created)`],
  }))
}, (app) => {
  app.delete(names().find(app, "exports"))
})
