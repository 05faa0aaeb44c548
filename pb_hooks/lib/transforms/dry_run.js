// A write that is done in full, answered, and rolled back: PocketBase's own rules, validation and unique
// indexes have all spoken, and nothing is stored, uploaded or published.
//
// The gateway asks for one by a ticket that it was given a moment before, by this very process: where
// these hooks are missing nobody gives tickets, and so nothing is sent that would then be stored.
const { expectDryRuns } = require(`${__hooks}/lib/transforms/table.js`)

const KEY = "gateway.dry-run"
const SECONDS = 10

function issueToken(app) {
  expectDryRuns()
  const key = $security.randomString(32)
  app.store().setFunc(KEY, (known) => known || key)
  const now = `${Math.floor(Date.now() / 1000)}`
  return { ticket: `${now}.${$security.hs256(now, app.store().get(KEY))}` }
}

// Whether the request asks for a dry run. One without a good ticket is refused: it must not be stored.
function isDryRun(app, headers) {
  const ticket = headers.x_gateway_dry_run
  if (!ticket) return false
  const [time, signature] = ticket.split(".")
  const key = app.store().get(KEY)
  const isFresh = Math.abs(Date.now() / 1000 - Number(time)) <= SECONDS
  if (!key || !isFresh || !$security.equal(signature || "", $security.hs256(time, key))) {
    throw new BadRequestError("The dry run has no valid ticket.")
  }
  return true
}

function runDry(e) {
  const app = e.app
  if (app.isTransactional()) {
    throw new BadRequestError("A dry run is of one write: what belongs to a batch is not rolled back.")
  }
  let isDone = false
  try {
    app.runInTransaction((tx) => {
      e.app = tx
      e.next()
      isDone = true
      throw new Error("The dry run is over.")
    })
  } catch (error) {
    if (!isDone) throw error
  } finally {
    e.app = app
  }
  return e.json(200, e.record)
}

module.exports = { issueToken, isDryRun, runDry }
