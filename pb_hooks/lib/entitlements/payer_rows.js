// Reads rows of payers as JSON: reading them column by column takes a hook several times as long as one JSON.parse, and
// one query for several kinds a third of one each.
// Why here: entitlements are computed in the commit transaction.
//
// payers  {column, ids}: the column that names them in every mirrored row (user, organization), and their ids
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)

// Describes a kind of rows to read: its columns, its JSON columns and a condition.
function kind(collection, { columns = [], json = [], condition = "" }) {
  const values = [
    ...columns.map((name) => `'${name}', [[${name}]]`),
    // A JSON column may be NULL, or empty.
    ...json.map((name) => `'${name}', json(coalesce(nullif([[${name}]], ''), 'null'))`),
  ]
  return { table: TABLES[collection], values: values.join(", "), condition }
}

// Returns the rows of one kind, each with its `payer` and columns.
function find(tx, payers, kind) {
  return findAll(tx, payers, [kind])[0]
}

// Returns the rows of several kinds, in their order, then 1 or 0 for each condition. A condition is a function from the
// column and its list of ids to SQL.
function findAll(tx, { column, ids }, kinds, ...conditions) {
  const { list, values } = placeholders(ids)
  const parts = kinds.map((each) => `(
    SELECT json_group_array(json_object('payer', [[${column}]], ${each.values}))
    FROM ${each.table} WHERE ${column} IN (${list}) ${each.condition})`)
  const tests = conditions.map((condition) => `(SELECT ${condition(column, list)})`)
  const found = new DynamicModel({ rows: "" })
  tx.db().newQuery(`SELECT '[' || ${[...parts, ...tests].join(" || ',' || ")} || ']' AS rows`).bind(values).one(found)
  return JSON.parse(found.rows)
}

module.exports = { find, findAll, kind }
