/// <reference path="../../.local/pb_data/types.d.ts" />
// Reports: only users with the entitlement `pro` write them. The rule needs no call of the gateway.

const IS_USER = '@request.auth.collectionName = "users"'
const IS_AUTHOR = `${IS_USER} && author = @request.auth.id`

// Conditions with one alias (`pro`) are about one row.
const HAS_PRO = '@collection.entitlements:pro.user ?= @request.auth.id' +
  ' && @collection.entitlements:pro.feature ?= "pro"' +
  ' && @collection.entitlements:pro.active_until ?> @now'

migrate((app) => {
  app.save(new Collection({
    name: "reports", type: "base",
    // After the end of the entitlement authors can still read and delete their reports.
    listRule: IS_AUTHOR,
    viewRule: IS_AUTHOR,
    createRule: `${IS_AUTHOR} && ${HAS_PRO}`,
    updateRule: `${IS_AUTHOR} && ${HAS_PRO}`,
    deleteRule: IS_AUTHOR,
    fields: [
      { name: "author", type: "relation", required: true, maxSelect: 1, cascadeDelete: true,
        collectionId: app.findCollectionByNameOrId("users").id },
      { name: "title", type: "text", required: true, max: 200 },
    ],
  }))
}, (app) => {
  app.delete(app.findCollectionByNameOrId("reports"))
})
