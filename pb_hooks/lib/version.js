// Raised with every change of a route's meaning; the gateway names the version it was built for.
const HOOKS_VERSION = 17

const { findMissingFiles } = require(`${__hooks}/lib/hook_files.js`)
const { findMissing } = require(`${__hooks}/lib/own_collections.js`)

function readVersion(app) {
  const applied = arrayOf(new DynamicModel({ file: "" }))
  app.db().newQuery("SELECT file FROM _migrations").all(applied)
  const migrations = applied.map((migration) => migration.file)
  return { hooks: HOOKS_VERSION, migrations, files: findMissingFiles(app), missing: findMissing(app) }
}

module.exports = { readVersion }
