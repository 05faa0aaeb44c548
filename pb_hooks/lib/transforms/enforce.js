// Direct writes to a collection that has a transform: the gateway is asked before the transaction, and
// what it says is done. Nothing else may let such a write through.
const { isDryRun, runDry } = require(`${__hooks}/lib/transforms/dry_run.js`)
const { passesThrough } = require(`${__hooks}/lib/transforms/call.js`)
const { recall } = require(`${__hooks}/lib/transforms/batch.js`)
const { blameTransform } = require(`${__hooks}/lib/transforms/author_mistakes.js`)
const { transform } = require(`${__hooks}/lib/transforms/guard.js`)
const { keepWhile } = require(`${__hooks}/lib/transforms/request_registry.js`)
const { expectNoDryRuns, readTable } = require(`${__hooks}/lib/transforms/table.js`)
const { settle } = require(`${__hooks}/lib/transforms/result.js`)

function enforce(e, operation) {
  const { app } = e
  const { table, rehearses } = readTable(app)
  const entries = table[e.collection.id]
  // PocketBase would save all columns of its copy, and undo what others stored since it was loaded.
  if (!entries && operation === "update") e.record.ignoreUnchangedFields(true)
  // Most collections have no transform: every further look at what Go holds would take its time.
  if (!entries && !rehearses) return e.next()
  const info = e.requestInfo()
  const isDry = isDryRun(app, info.headers)
  if (!entries) expectNoDryRuns()
  const entry = entries && entries[operation]
  let set = []
  if (entry && passesThrough(entry, e.auth)) {
    set = app.isTransactional()
      ? settle(e.record, entry, operation, recall(e, entry, operation))
      : transform(e, e.record, entry, operation, info)
  }
  const next = () => isDry ? runDry(e) : e.next()
  const write = set.length > 0 ? () => blameTransform(entry, operation, set, info.body || {}, next) : next
  // A batch loads its records inside of its transaction: nobody can change them in between.
  return !entries || operation === "create" || app.isTransactional() ? write() : keepWhile(e, write)
}

module.exports = { enforce }
