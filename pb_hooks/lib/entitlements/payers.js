// Collects the payers with entitlements that a transaction may change: a Set of ids per column.
// Why here: each row is compared with the stored one in the commit transaction.
const { describeFeatures } = require(`${__hooks}/lib/entitlements/features.js`)
const { columnsOf } = require(`${__hooks}/lib/mirror/payer.js`)
const { valuesOf } = require(`${__hooks}/lib/mirror/records.js`)

// From gateway/mirror/registry.py: by collection, the columns that entitlements depend on.
const { entitlement_columns: COLUMNS } = require(`${__hooks}/lib/vocabulary.json`).mirror
const WITH_FEATURES = new Set(["products", "prices"])

function noPayers() {
  return { user: new Set(), organization: new Set() }
}

function addPayer(payers, payer) {
  if (!payer) return
  const columns = columnsOf(payer)
  for (const column in columns) if (columns[column]) payers[column].add(columns[column])
}

// Adds the former or new payer of a row that changes its owner.
function addOwner(payers, collection, payer) {
  if (COLUMNS[collection]) addPayer(payers, payer)
}

// Whether saving `record` may change its payer's entitlements: a column that they depend on differs from the stored
// one. Always true for a replayed event, so that a replay also applies new settings.
function changesEntitlements(tx, { collection, again }, record) {
  const columns = COLUMNS[collection]
  if (!columns || again || record.isNew()) return !!columns
  // The columns that a save would write: one call is faster than reading each column.
  const changed = record.dbExport(tx)
  for (const name of columns) if (name in changed) return true
  return false
}

// Whether the features of a product's or price's row differ from the stored ones.
function changesFeatures(row) {
  const { collection, record } = row
  if (!WITH_FEATURES.has(collection)) return false
  const values = valuesOf(row)
  if (!("metadata" in values)) return false
  const before = record ? JSON.parse(record.getString("metadata") || "{}") || {} : {}
  if (collection === "prices" && ["product", "type"].some((name) => record?.getString(name) !== values[name])) return true
  return describeFeatures(before) !== describeFeatures(JSON.parse(values.metadata))
}

module.exports = { addOwner, addPayer, changesEntitlements, changesFeatures, noPayers }
