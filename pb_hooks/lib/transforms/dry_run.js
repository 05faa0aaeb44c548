// Dry runs: a write that PocketBase does in full, answers and rolls back. Rules, validation and unique indexes apply,
// and nothing is stored, uploaded or published.
// Why here: only PocketBase can roll back its own request.
//
// A dry run needs a token that this very process has issued a moment before: without these hooks there are no tokens,
// so that the gateway never sends a write that would be stored.
const { expectDryRuns } = require(`${__hooks}/lib/transforms/table.js`)

const KEY = "gateway.dry-run"
const TOKEN_SECONDS = 10

function issueToken(app) {
  expectDryRuns()
  const key = $security.randomString(32)
  app.store().setFunc(KEY, (known) => known || key)
  const now = `${Math.floor(Date.now() / 1000)}`
  return { ticket: `${now}.${$security.hs256(now, app.store().get(KEY))}` }
}

// Whether the request is a dry run. One with an invalid token is refused, because it must not be stored.
function isDryRun(app, headers) {
  const token = headers.x_gateway_dry_run
  if (!token) return false
  const [time, signature] = token.split(".")
  const key = app.store().get(KEY)
  const isFresh = Math.abs(Date.now() / 1000 - Number(time)) <= TOKEN_SECONDS
  if (!key || !isFresh || !$security.equal(signature || "", $security.hs256(time, key))) {
    throw new BadRequestError("The token of the dry run is invalid or has expired.")
  }
  return true
}

// Superusers see hidden fields in the answer, as in every other answer.
function runDry(e, entries) {
  const app = e.app
  if (app.isTransactional()) {
    throw new BadRequestError("A dry run can't be part of a batch: send it in a request of its own.")
  }
  let isDone = false
  try {
    app.runInTransaction((tx) => {
      e.app = tx
      e.next()
      isDone = true
      throw new Error("The dry run is rolled back.")
    })
  } catch (error) {
    if (!isDone) throw error
  } finally {
    e.app = app
  }
  const [entry] = Object.values(entries || {})
  return e.json(200, entry && e.hasSuperuserAuth() ? e.record.unhide(...entry.hidden) : e.record)
}

module.exports = { isDryRun, issueToken, runDry }
