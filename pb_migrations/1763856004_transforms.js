/// <reference path="../pb_data/types.d.ts" />
// The table of transforms, one row per collection and operation. Stored in PocketBase, so that it refuses such writes
// while the gateway is down, also after a restart. Superusers only; written by POST /api/gateway/transforms.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const name = names().namesOf(app)("transforms")
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "collection", type: "text", required: true },
      { name: "collection_ref", type: "text" }, // its id: it may be renamed
      { name: "operation", type: "select", required: true, values: ["create", "update", "delete"] },
      { name: "timeout", type: "number" }, // seconds
      { name: "on_failure", type: "select", required: true, values: ["closed", "open"] },
      { name: "files", type: "bool" }, // whether calls contain new files
      { name: "url", type: "text" }, // the URL of the gateway's hook endpoint
      { name: "max_bytes", type: "number" }, // maximum size of a call
      { name: "gateway", type: "text" }, // the id of its superuser, whose writes bypass transforms
      { name: "superusers", type: "bool" }, // whether writes of other superusers pass through transforms
      { name: "started", type: "number" }, // when the gateway that registered it started, in ms
      // As 1763856101 adds them to older tables: a lost table is made by this migration alone.
      { name: "request", type: "bool" },
      { name: "headers", type: "text" },
    ],
    indexes: [
      `CREATE UNIQUE INDEX idx_${name}_write ON ${name} (collection, operation)`,
    ],
  }))
}, (app) => {
  app.delete(names().find(app, "transforms"))
})
