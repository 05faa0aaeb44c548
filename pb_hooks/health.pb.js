/// <reference path="../pb_data/types.d.ts" />
// Checks that PocketBase can write: with a full disk or a locked database reads still work, but every delivery fails.

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
