// Raised with every change of a route's meaning; the gateway names the version it was built for.
const HOOKS_VERSION = 16

function readVersion(app) {
  const applied = arrayOf(new DynamicModel({ file: "" }))
  app.db().newQuery("SELECT file FROM _migrations").all(applied)
  return { hooks: HOOKS_VERSION, migrations: applied.map((migration) => migration.file) }
}

module.exports = { readVersion }
