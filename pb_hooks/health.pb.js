/// <reference path="../pb_data/types.d.ts" />
// Routes for /ready and `gateway doctor`.
// Why here: only PocketBase knows its hooks, migrations and collections, and whether its database can be written.

// The version of the hooks, the applied migrations, and what is missing.
routerAdd("GET", "/api/gateway/version", (e) => {
  const { readVersion } = require(`${__hooks}/lib/health/version.js`)
  return e.json(200, readVersion($app))
}, $apis.requireSuperuserAuth())

// Writes one row: with a full disk or a locked database reads still work, but every delivery fails.
routerAdd("POST", "/api/gateway/write-probe", (e) => {
  const { isPassing, untilUnlocked } = require(`${__hooks}/lib/database/sql.js`)
  const { writeProbe } = require(`${__hooks}/lib/database/write_probe.js`)
  try {
    untilUnlocked(() => writeProbe($app))
  } catch (error) {
    const status = isPassing(error) ? 503 : 500
    throw new ApiError(status, `The database can't be written: ${error}`, {})
  }
  return e.json(200, {})
}, $apis.bodyLimit(1024), $apis.requireSuperuserAuth())

// Facts for `gateway doctor`; see lib/health/diagnosis.js.
routerAdd("GET", "/api/gateway/diagnosis", (e) => {
  return e.json(200, require(`${__hooks}/lib/health/diagnosis.js`).diagnose(e))
}, $apis.requireSuperuserAuth())
