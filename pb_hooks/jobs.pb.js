/// <reference path="../pb_data/types.d.ts" />
// Starts jobs (docs/jobs.md).
// Why here: the limits of a user and the repeated Idempotency-Key are checked in the transaction that stores the job.

// Stores a job; see lib/jobs/start.js.
routerAdd("POST", "/api/gateway/jobs/start", (e) => {
  const { start } = require(`${__hooks}/lib/jobs/start.js`)
  const asked = require(`${__hooks}/lib/requests/schemas.js`).read(e, "START_JOB")
  const { isPassing, untilUnlocked } = require(`${__hooks}/lib/database/sql.js`)
  try {
    return e.json(200, untilUnlocked(() => start($app, asked)))
  } catch (error) {
    if (isPassing(error)) throw new ApiError(503, "The database can't be written right now.", {})
    throw error
  }
}, $apis.requireSuperuserAuth())
