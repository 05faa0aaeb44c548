// Direct writes to a collection that has a transform: the gateway is asked before the transaction, and
// what it says is done. Nothing else may let such a write through.
const { isDryRun, rehearse } = require(`${__hooks}/lib/dry_run.js`)
const { ask, describe, passesThrough } = require(`${__hooks}/lib/transform_call.js`)
const { recall } = require(`${__hooks}/lib/transform_batch.js`)
const { find } = require(`${__hooks}/lib/transform_table.js`)
const { settle } = require(`${__hooks}/lib/transform_verdict.js`)

function enforce(e, operation) {
  const isDry = isDryRun(e)
  const entry = find(e.app, e.collection, operation)
  if (entry && passesThrough(entry, e.auth)) {
    const verdict = e.app.isTransactional()
      ? recall(e, entry, operation) : askOne(e, entry, operation)
    settle(e.record, entry, operation, verdict)
  }
  return isDry ? rehearse(e) : e.next()
}

function askOne(e, entry, operation) {
  const item = describe(entry, operation, e.record, e.requestInfo().body)
  return ask(e, [{ entry, item }])[0]
}

module.exports = { enforce }
