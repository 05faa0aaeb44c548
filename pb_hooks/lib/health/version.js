// The version of the hooks, the applied migrations and the missing parts, which /ready compares with the gateway's.
// Why here: only PocketBase knows its hooks, migrations and collections.
const { findMissingFiles } = require(`${__hooks}/lib/health/hook_files.js`)

const NO_BACKLOG = { unresolved: 0, failed: 0, parked: 0 }

function readVersion(app) {
  const files = findMissingFiles(app)
  // Other modules may require a missing file.
  if (files.length > 0) return { hooks: 0, migrations: [], files, missing: [], misnamed: [], names: null, ...NO_BACKLOG }
  const { hooks_version: hooks } = require(`${__hooks}/lib/vocabulary.json`)
  const { findMisnamed, findMissing } = require(`${__hooks}/lib/mirror/collections_guard.js`)
  const { findMissingStored } = require(`${__hooks}/lib/health/stored_columns.js`)
  const { SETTINGS: names } = require(`${__hooks}/lib/names.js`)
  const defined = findMissing(app)
  const missing = defined.length > 0 ? defined : findMissingStored(app)
  return {
    hooks, migrations: findMigrations(app), files, missing, misnamed: findMisnamed(app), names,
    ...missing.length ? NO_BACKLOG : countBacklog(app),
  }
}

// The numbers of events whose row waits for a read from Stripe, of failed events, and of parked items. All have an index.
function countBacklog(app) {
  const { TABLES } = require(`${__hooks}/lib/names.js`)
  const found = new DynamicModel(NO_BACKLOG)
  app.db().newQuery(`
    SELECT (SELECT count(*) FROM ${TABLES.stripe_events} WHERE outcome = 'unresolved') AS unresolved,
      (SELECT count(*) FROM ${TABLES.stripe_events} WHERE outcome = 'failed') AS failed,
      (SELECT count(*) FROM ${TABLES.work} WHERE status = 'parked') AS parked
  `).one(found)
  return { unresolved: found.unresolved, failed: found.failed, parked: found.parked }
}

function findMigrations(app) {
  const applied = arrayOf(new DynamicModel({ file: "" }))
  app.db().newQuery("SELECT file FROM _migrations").all(applied)
  return applied.map((migration) => migration.file)
}

module.exports = { readVersion }
