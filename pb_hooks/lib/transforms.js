// Direct writes to a collection that has a transform: the gateway is asked before the transaction, and
// what it says is done. Nothing else may let such a write through.
const { isDryRun, rehearse } = require(`${__hooks}/lib/dry_run.js`)
const { askOne, describe, passesThrough } = require(`${__hooks}/lib/transform_call.js`)
const { recall } = require(`${__hooks}/lib/transform_batch.js`)
const { find } = require(`${__hooks}/lib/transform_table.js`)
const { settle } = require(`${__hooks}/lib/transform_verdict.js`)

// What the caller knows of the table is not read again: every look at what Go holds takes its time.
function enforce(e, operation, known) {
  const { app, auth, record } = e
  const { headers, body } = e.requestInfo()
  const isDry = isDryRun(app, headers)
  const entry = find(app, e.collection, operation, known)
  if (entry && passesThrough(entry, auth)) {
    const verdict = app.isTransactional()
      ? recall(e, entry, operation)
      : askOne(entry, describe(entry, operation, record, body), auth, headers)
    settle(record, entry, operation, verdict)
  }
  return isDry ? rehearse(e) : e.next()
}

module.exports = { enforce }
