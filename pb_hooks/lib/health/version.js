// The version of the hooks, the applied migrations and the missing parts, which /ready compares with the gateway's.
// Why here: only PocketBase knows its hooks, migrations and collections.
const { findMissingFiles } = require(`${__hooks}/lib/health/hook_files.js`)

function readVersion(app) {
  const files = findMissingFiles(app)
  // Other modules may require a missing file.
  if (files.length > 0) return { hooks: 0, migrations: [], files, missing: [], misnamed: [], names: null, unresolved: 0, failed: 0 }
  const { hooks_version: hooks } = require(`${__hooks}/lib/vocabulary.json`)
  const { findMisnamed, findMissing } = require(`${__hooks}/lib/mirror/collections_guard.js`)
  const { SETTINGS: names } = require(`${__hooks}/lib/names.js`)
  const missing = findMissing(app)
  return {
    hooks, migrations: findMigrations(app), files, missing, misnamed: findMisnamed(app), names,
    ...missing.length ? { unresolved: 0, failed: 0 } : countEvents(app),
  }
}

// The number of events whose row waits for a read from Stripe, and of those that failed. Both have an index.
function countEvents(app) {
  const { TABLES } = require(`${__hooks}/lib/names.js`)
  const found = new DynamicModel({ unresolved: 0, failed: 0 })
  app.db().newQuery(`
    SELECT (SELECT count(*) FROM ${TABLES.stripe_events} WHERE outcome = 'unresolved') AS unresolved,
      (SELECT count(*) FROM ${TABLES.stripe_events} WHERE outcome = 'failed') AS failed
  `).one(found)
  return { unresolved: found.unresolved, failed: found.failed }
}

function findMigrations(app) {
  const applied = arrayOf(new DynamicModel({ file: "" }))
  app.db().newQuery("SELECT file FROM _migrations").all(applied)
  return applied.map((migration) => migration.file)
}

module.exports = { readVersion }
