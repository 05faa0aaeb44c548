// Direct writes to a collection that has a transform: the gateway is asked before the transaction, and
// what it says is done. Nothing else may let such a write through.
const { isDryRun, rehearse } = require(`${__hooks}/lib/dry_run.js`)
const { askOne, describe, passesThrough } = require(`${__hooks}/lib/transform_call.js`)
const { recall } = require(`${__hooks}/lib/transform_batch.js`)
const { expectNoDryRuns, readTable } = require(`${__hooks}/lib/transform_table.js`)
const { settle } = require(`${__hooks}/lib/transform_verdict.js`)

function enforce(e, operation) {
  const { app } = e
  const { table, rehearses } = readTable(app)
  const entries = table[e.collection.id]
  // Most collections have no transform: every further look at what Go holds would take its time.
  if (!entries && !rehearses) return e.next()
  const { headers, body } = e.requestInfo()
  const isDry = isDryRun(app, headers)
  if (!entries) expectNoDryRuns()
  const entry = entries && entries[operation]
  const { auth } = e
  if (entry && passesThrough(entry, auth)) {
    const { record } = e
    const verdict = app.isTransactional()
      ? recall(e, entry, operation)
      : askOne(entry, describe(entry, operation, record, body), auth, headers)
    settle(record, entry, operation, verdict)
  }
  return isDry ? rehearse(e) : e.next()
}

module.exports = { enforce }
