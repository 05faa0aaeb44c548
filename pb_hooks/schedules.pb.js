/// <reference path="../pb_data/types.d.ts" />
// Ticks of schedules (docs/extending/schedule.md). Superusers only.
// Why here: one run per tick is decided in PocketBase's transaction.

// Stores the latest ticks of schedules: {ticks}. Returns {added}.
routerAdd("POST", "/api/gateway/schedules", (e) => {
  const { storeTicks } = require(`${__hooks}/lib/schedules/ticks.js`)
  const { ticks } = require(`${__hooks}/lib/requests/schemas.js`).read(e, "TICKS")
  return e.json(200, storeTicks($app, ticks))
}, $apis.requireSuperuserAuth())
