// Whose entitlements a transaction may change, gathered while it writes: by column, a Set of ids.
const { describeOffer } = require(`${__hooks}/lib/offers.js`)
const { columnsOf, readPayer } = require(`${__hooks}/lib/payer.js`)
const { valuesOf } = require(`${__hooks}/lib/records.js`)

// The rows that entitlements follow from, beside products and prices.
const SAYING = new Set(require(`${__hooks}/lib/vocabulary.json`).mirror.entitling)
const OFFERING = new Set(["products", "prices"])

function noPayers() {
  return { user: new Set(), organization: new Set() }
}

function addPayer(payers, payer) {
  if (!payer) return
  const columns = columnsOf(payer)
  for (const column in columns) if (columns[column]) payers[column].add(columns[column])
}

// A row was written.
function addPayerOf(payers, collection, record) {
  if (SAYING.has(collection)) addPayer(payers, readPayer(record))
}

// Whether a row to be written offers something else than the stored one.
function changesOffer(row) {
  const { collection, record } = row
  if (!OFFERING.has(collection)) return false
  const values = valuesOf(row)
  if (!("metadata" in values)) return false
  const before = record ? JSON.parse(record.getString("metadata") || "{}") || {} : {}
  if (collection === "prices" && record?.getString("product") !== values.product) return true
  return describeOffer(before) !== describeOffer(JSON.parse(values.metadata))
}

module.exports = { addPayer, addPayerOf, changesOffer, noPayers }
