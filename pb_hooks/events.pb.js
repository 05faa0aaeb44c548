/// <reference path="../pb_data/types.d.ts" />
// Retention of stored events.
// Why here: only superusers may prune, and each part is one SQL statement, which PocketBase's record API can't run.

// Empties the payloads of events that are older than a time: {before, limit, dry_run}.
routerAdd("POST", "/api/gateway/prune", (e) => {
  const { prune } = require(`${__hooks}/lib/events/retention.js`)
  const asked = require(`${__hooks}/lib/requests/schemas.js`).read(e, "PRUNE")
  return e.json(200, prune($app, asked))
}, $apis.requireSuperuserAuth())
