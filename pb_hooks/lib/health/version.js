// The version of the hooks, the applied migrations and the missing parts, which /ready compares with the gateway's.
// Why here: only PocketBase knows its hooks, migrations and collections.
const { findMissingFiles } = require(`${__hooks}/lib/health/hook_files.js`)

function readVersion(app) {
  const files = findMissingFiles(app)
  // Other modules may require a missing file.
  if (files.length > 0) return { hooks: 0, migrations: [], files, missing: [], misnamed: [], names: null }
  const { hooks_version: hooks } = require(`${__hooks}/lib/vocabulary.json`)
  const { findMisnamed, findMissing } = require(`${__hooks}/lib/mirror/collections_guard.js`)
  const { SETTINGS: names } = require(`${__hooks}/lib/names.js`)
  return {
    hooks, migrations: findMigrations(app), files, missing: findMissing(app), misnamed: findMisnamed(app), names,
  }
}

function findMigrations(app) {
  const applied = arrayOf(new DynamicModel({ file: "" }))
  app.db().newQuery("SELECT file FROM _migrations").all(applied)
  return applied.map((migration) => migration.file)
}

module.exports = { readVersion }
