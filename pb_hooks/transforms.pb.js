/// <reference path="../pb_data/types.d.ts" />
// Registers transforms, and the hooks around a write that PocketBase makes in a transaction of its own.
// Why here: a client's write goes to PocketBase alone; only a hook can stop it or change its values.

// Transforms first: other hooks of a write may open a transaction, and the gateway is called before one.
require(`${__hooks}/lib/transforms/hooks.js`)

// Stores the gateway's table of transforms: which direct writes it is called about. Called every few seconds.
routerAdd("POST", "/api/gateway/transforms", (e) => {
  const { register } = require(`${__hooks}/lib/transforms/registration.js`)
  const body = readerToString(e.request.body, 1048576)
  return e.json(200, register($app, e.auth, e.request.header, body))
}, $apis.bodyLimit(1048576), $apis.requireSuperuserAuth(), $apis.skipSuccessActivityLog())

// Issues a token for one write that is rolled back in the end.
routerAdd("POST", "/api/gateway/dry-run", (e) => {
  const { issueToken } = require(`${__hooks}/lib/transforms/dry_run.js`)
  return e.json(200, issueToken($app))
}, $apis.requireSuperuserAuth())

onBatchRequest((e) => {
  require(`${__hooks}/lib/transforms/batch.js`).prepareBatch(e)
  e.next()
})

onRecordAuthWithOAuth2Request((e) => {
  require(`${__hooks}/lib/transforms/sign_up.js`).prepareSignUp(e)
  e.next()
})

// The cached table is dropped after every change of the table or of a collection.
onRecordAfterCreateSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).invalidate()
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("transforms"))
onRecordAfterUpdateSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).invalidate()
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("transforms"))
onRecordAfterDeleteSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).invalidate()
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("transforms"))
onCollectionAfterCreateSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).linkCollection($app, e.collection)
  e.next()
})
onCollectionAfterUpdateSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).invalidate()
  e.next()
})
onCollectionAfterDeleteSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).invalidate()
  e.next()
})

// API, dashboard and truncate can't change or empty the table: writes would pass without their transform.
onRecordDelete((e) => {
  require(`${__hooks}/lib/transforms/table_rows.js`).refuseDeletion(e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("transforms"))

onRecordUpdate((e) => {
  require(`${__hooks}/lib/transforms/table_rows.js`).refuseChange(e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("transforms"))
