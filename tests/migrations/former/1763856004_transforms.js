/// <reference path="../pb_data/types.d.ts" />
// Which writes pass through the gateway's transforms, one row a collection and operation. PocketBase
// keeps it itself, so that it refuses such writes while the gateway is down, after a restart too.
// Superusers only; written by POST /api/gateway/transforms.

migrate((app) => {
  app.save(new Collection({
    name: "gateway_transforms", type: "base",
    fields: [
      { name: "collection", type: "text", required: true },
      { name: "collection_ref", type: "text" }, // its id: it may be renamed meanwhile
      { name: "operation", type: "select", required: true, values: ["create", "update", "delete"] },
      { name: "timeout", type: "number" }, // seconds
      { name: "on_failure", type: "select", required: true, values: ["closed", "open"] },
      { name: "files", type: "bool" }, // whether the contents of new files are shipped
      { name: "url", type: "text" }, // where the gateway takes calls
      { name: "max_bytes", type: "number" }, // the largest call
      { name: "gateway", type: "text" }, // the id of its superuser, whose own writes go around
      { name: "superusers", type: "bool" }, // whether other superusers' writes pass through
      { name: "started", type: "number" }, // when the gateway that registered it started, in ms
      // As 1763856101 adds them to older tables: a lost table is made by this migration alone.
      { name: "request", type: "bool" },
      { name: "headers", type: "text" },
    ],
    indexes: [
      "CREATE UNIQUE INDEX idx_gateway_transforms_write ON gateway_transforms (collection, operation)",
    ],
  }))
}, (app) => {
  app.delete(app.findCollectionByNameOrId("gateway_transforms"))
})
