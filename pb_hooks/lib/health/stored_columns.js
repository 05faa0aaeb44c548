// Compares the tables of the database with the columns that the hooks read. PocketBase's definitions of collections miss
// what SQL or a partial restore has removed.
// Why here: only PocketBase reads its database.
const { NAMES } = require(`${__hooks}/lib/names.js`)
const { collections: COLUMNS } = require(`${__hooks}/lib/vocabulary.json`)

const KEY = "gateway:missing_stored_columns"

// Returns one sentence per missing table or column. Computed once per version of the schema, which SQLite raises with
// every change of a table.
function findMissingStored(app) {
  const version = readSchemaVersion(app)
  const known = app.store().get(KEY)
  if (known && known.version === version) return JSON.parse(known.missing)
  const missing = compare(readColumns(app))
  app.store().set(KEY, { version, missing: JSON.stringify(missing) })
  return missing
}

function readSchemaVersion(app) {
  const found = new DynamicModel({ schema_version: 0 })
  // Not the statement PRAGMA: PocketBase would run it on the writer's connection, which may wait for a lock.
  app.db().newQuery("SELECT schema_version FROM pragma_schema_version").one(found)
  return found.schema_version
}

// Returns the columns by table.
function readColumns(app) {
  const rows = arrayOf(new DynamicModel({ name: "", columns: "" }))
  app.db().newQuery(`
    SELECT m.name AS name, (SELECT group_concat(p.name) FROM pragma_table_info(m.name) p) AS columns
    FROM sqlite_master m WHERE m.type = 'table'
  `).all(rows)
  return Object.fromEntries(rows.map(({ name, columns }) => [name, columns.split(",")]))
}

function compare(stored) {
  return Object.keys(COLUMNS).flatMap((key) => {
    const columns = stored[NAMES[key]]
    if (!columns) return [`the table ${NAMES[key]} is missing`]
    return COLUMNS[key].filter((column) => !columns.includes(column)).map((column) => `the table ${NAMES[key]} has no column ${column}`)
  })
}

module.exports = { findMissingStored }
