// Runs the transform of a direct write before PocketBase's transaction, and applies its result.
// Why here: a client's write goes to PocketBase alone. Without the gateway's result the write fails.
const { isDryRun, runDry } = require(`${__hooks}/lib/transforms/dry_run.js`)
const { isAsked, passesThrough } = require(`${__hooks}/lib/transforms/call.js`)
const { takeResult } = require(`${__hooks}/lib/transforms/batch.js`)
const { blameTransform } = require(`${__hooks}/lib/transforms/author_mistakes.js`)
const { transform } = require(`${__hooks}/lib/transforms/guard.js`)
const { keepWhile } = require(`${__hooks}/lib/transforms/request_registry.js`)
const { expectNoDryRuns, readTable } = require(`${__hooks}/lib/transforms/table.js`)
const { applyResult } = require(`${__hooks}/lib/transforms/result.js`)

function enforce(e, operation) {
  const { app } = e
  const { table, allowsDryRuns } = readTable(app)
  const entries = table[e.collection.id]
  // Otherwise PocketBase saves all columns of its copy, and overwrites changes since it was loaded.
  if (!entries && operation === "update") e.record.ignoreUnchangedFields(true)
  // Most collections have no transform, and each further access to Go's values takes time.
  if (!entries && !allowsDryRuns) return e.next()
  const info = e.requestInfo()
  const isDry = isDryRun(app, info.headers)
  if (!entries) expectNoDryRuns()
  const entry = entries && entries[operation]
  let set = []
  if (entry && (passesThrough(entry, e.auth) || isAsked(e, info.headers))) {
    set = app.isTransactional()
      ? applyResult(e.record, entry, operation, takeResult(e, entry, operation))
      : transform(e, e.record, entry, operation, info)
  }
  const next = () => isDry ? runDry(e, entries) : e.next()
  const write = set.length > 0 ? () => blameTransform(entry, operation, set, info.body || {}, next, isAsked(e, info.headers)) : next
  // A batch loads its records inside its transaction, so they can't change in between.
  return !entries || operation === "create" || app.isTransactional() ? write() : keepWhile(e, write)
}

module.exports = { enforce }
