/// <reference path="../pb_data/types.d.ts" />
// Checkpoints of SQLite's write-ahead log (docs/operations.md, reconcile). Superusers only.
// Why here: the limit of the log is a property of PocketBase's writing connection.

// Makes a checkpoint beside the writer: {deferred}. Returns {before, limit, pages}.
routerAdd("POST", "/api/gateway/checkpoint", (e) => {
  const { isPassing, makeCheckpoint, read, untilUnlocked } = (globalThis.gatewayCheckpoint ||= {
    ...require(`${__hooks}/lib/database/checkpoints.js`),
    ...require(`${__hooks}/lib/database/sql.js`),
    ...require(`${__hooks}/lib/requests/schemas.js`),
  })
  const request = read(e, "CHECKPOINT")
  try {
    return e.json(200, untilUnlocked(() => makeCheckpoint($app, request)))
  } catch (error) {
    if (isPassing(error)) throw new ApiError(503, "The database can't be written right now.", {})
    throw error
  }
}, $apis.bodyLimit(1024), $apis.requireSuperuserAuth(), $apis.skipSuccessActivityLog())

// A run that was killed leaves its limit; one that is under way sets it again at once.
cronAdd("gateway_checkpoints", "* * * * *", () => {
  require(`${__hooks}/lib/database/checkpoints.js`).resetLimit($app)
})
