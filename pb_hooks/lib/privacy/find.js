// Finds the rows of a collection that contain one of some texts, in any column.
// Why here: PocketBase's record API would scan the collection again for every page.
// Columns that can contain a text.
const TEXTS = ["text", "json", "email", "url", "editor", "relation", "select"]
// Rows that one query looks at.
const SCANNED_ROWS = 5000
const SEPARATOR = "char(10)"

// Returns {rows, next}: rows as stored, all columns as text, at most `limit`; the next part begins after `next`, which is
// 0 at the end.
function findRows(app, { collection, after, limit, texts }) {
  const columns = readColumns(app, collection)
  const table = `\`${collection}\``
  const last = readLast(app, table)
  const end = Math.min(after + SCANNED_ROWS, last)
  if (columns.length === 0 || texts.length === 0 || after >= last) return { rows: [], next: 0 }
  const { condition, values } = match(columns, texts)
  const found = arrayOf(new DynamicModel({ n: 0, id: "", ...Object.fromEntries(columns.map((name) => [`c_${name}`, ""])) }))
  app.db().newQuery(`
    SELECT _rowid_ AS n, id, ${columns.map((name) => `coalesce(\`${name}\`, '') AS \`c_${name}\``).join(", ")} FROM ${table}
    WHERE _rowid_ > {:after} AND _rowid_ <= {:end} AND (${condition}) ORDER BY _rowid_ LIMIT {:limit}
  `).bind({ ...values, after, end, limit }).all(found)
  const rows = found.map((each) => Object.fromEntries([["id", each.id], ...columns.map((name) => [name, each[`c_${name}`]])]))
  const next = found.length === limit ? found[limit - 1].n : end
  return { rows, next: next >= last ? 0 : next }
}

function readColumns(app, collection) {
  return [...app.findCollectionByNameOrId(collection).fields]
    .filter((field) => TEXTS.includes(field.type()) && field.getName() !== "id").map((field) => field.getName())
}

function readLast(app, table) {
  const found = new DynamicModel({ last: 0 })
  app.db().newQuery(`SELECT coalesce(max(_rowid_), 0) AS last FROM ${table}`).one(found)
  return found.last
}

// SQL: some text occurs in some column, ignoring case.
function match(columns, texts) {
  const row = `lower(${columns.map((name) => `coalesce(\`${name}\`, '')`).join(` || ${SEPARATOR} || `)})`
  const values = {}
  texts.forEach((text, i) => { values[`t${i}`] = text.toLowerCase() })
  return { condition: texts.map((_, i) => `instr(${row}, {:t${i}})`).join(" OR "), values }
}

module.exports = { findRows }
