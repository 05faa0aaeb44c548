/// <reference path="../pb_data/types.d.ts" />
// Effects: work after changes of records (docs/extending/after.md).
// Why here: the triggers that store the work are part of PocketBase's database.

// Stores the effects of a gateway and installs their triggers. Called every few seconds.
routerAdd("POST", "/api/gateway/effects", (e) => {
  const { register } = require(`${__hooks}/lib/effects/registration.js`)
  const body = require(`${__hooks}/lib/requests/schemas.js`).read(e, "EFFECTS")
  return e.json(200, register($app, body))
}, $apis.bodyLimit(1048576), $apis.requireSuperuserAuth(), $apis.skipSuccessActivityLog())

// Hooks of the model run for the dashboard, imports and migrations.
onCollectionCreate((e) => {
  require(`${__hooks}/lib/effects/table.js`).changeWithoutTriggers(e)
})
onCollectionUpdate((e) => {
  require(`${__hooks}/lib/effects/table.js`).changeWithoutTriggers(e)
})
onCollectionDelete((e) => {
  require(`${__hooks}/lib/effects/table.js`).changeWithoutTriggers(e)
})
