// Whose entitlements a transaction may change, gathered while it writes: by column, a Set of ids.
// Why here: the rows are compared with the stored ones in the commit transaction.
const { describeOffer } = require(`${__hooks}/lib/entitlements/features.js`)
const { columnsOf, readPayer } = require(`${__hooks}/lib/mirror/payer.js`)
const { valuesOf } = require(`${__hooks}/lib/mirror/records.js`)

// From gateway/mirror/registry.py: by collection, the columns that entitlements depend on.
const { entitlement_columns: COLUMNS } = require(`${__hooks}/lib/vocabulary.json`).mirror
const OFFERING = new Set(["products", "prices"])

function noPayers() {
  return { user: new Set(), organization: new Set() }
}

function addPayer(payers, payer) {
  if (!payer) return
  const columns = columnsOf(payer)
  for (const column in columns) if (columns[column]) payers[column].add(columns[column])
}

// Adds the former or the new payer of a row that gets another owner.
function addOwner(payers, collection, payer) {
  if (COLUMNS[collection]) addPayer(payers, payer)
}

// Whether the entitlements of a row's payer may change when `record` is saved: a column that they depend on differs
// from the stored one. For a replayed event always, so that a replay also applies new settings.
function changesEntitlements(tx, { collection, again }, record) {
  const columns = COLUMNS[collection]
  if (!columns || again || record.isNew()) return !!columns
  // The columns that a save would write: one call, where reading each takes a hook longer.
  const changed = record.dbExport(tx)
  for (const name of columns) if (name in changed) return true
  return false
}

// Whether a row to be written offers something else than the stored one.
function changesOffer(row) {
  const { collection, record } = row
  if (!OFFERING.has(collection)) return false
  const values = valuesOf(row)
  if (!("metadata" in values)) return false
  const before = record ? JSON.parse(record.getString("metadata") || "{}") || {} : {}
  if (collection === "prices" && ["product", "type"].some((name) => record?.getString(name) !== values[name])) return true
  return describeOffer(before) !== describeOffer(JSON.parse(values.metadata))
}

module.exports = { addOwner, addPayer, changesEntitlements, changesOffer, noPayers }
