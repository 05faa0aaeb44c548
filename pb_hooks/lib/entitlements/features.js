// The features of a product or price, by its metadata:
//
//   features         names of features, separated by commas
//   limit_<feature>  limit of the feature, a number above 0; gives the feature as well
//   duration_days    days that a one-time payment gives the features for; without it, for ever
//
// A price's metadata overrides its product's, key by key.
// Why here: entitlements are computed in the commit transaction.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)

const LIMIT = "limit_"

// Returns {features, days}: a list of {feature, limit}, and the duration in days; Infinity for no limit and no end.
function readFeatures(metadata) {
  const limits = {}
  for (const name of `${metadata.features || ""}`.split(",")) {
    if (name.trim()) limits[name.trim()] = Infinity
  }
  for (const key in metadata) {
    const feature = key.startsWith(LIMIT) ? key.slice(LIMIT.length).trim() : ""
    if (feature) limits[feature] = readPositive(metadata[key])
  }
  const features = Object.keys(limits).map((feature) => ({ feature, limit: limits[feature] }))
  return { features, days: readPositive(metadata.duration_days) }
}

function readPositive(text) {
  const found = Number(text)
  return found > 0 ? found : Infinity
}

// Returns the metadata that features depend on, as text to compare.
function describeFeatures(metadata) {
  const keys = Object.keys(metadata)
    .filter((key) => key === "features" || key === "duration_days" || key.startsWith(LIMIT)).sort()
  return JSON.stringify(keys.map((key) => [key, metadata[key]]))
}

// Finds the features of items {price, product} (Stripe ids). Returns a function from an item to {given, type}.
function findFeatures(tx, items) {
  const prices = findPrices(tx, unique(items, "price"))
  const products = findProducts(tx, items, prices)
  const known = {}
  return ({ price, product }) => (known[`${price} ${product}`] ||= describe(prices[price] || NO_PRICE, product, products))
}

function describe({ own, metadata, type }, product, products) {
  return { given: readTexts(products[product || own] || "", metadata), type }
}

const NO_PRICE = { own: "", type: "", metadata: "" }

// By Stripe id: `own` is the Stripe id of the price's product, metadata is text.
function findPrices(tx, ids) {
  const prices = {}
  if (ids.length === 0) return prices
  const { list, values } = placeholders(ids)
  for (const [id, type, metadata, own, ofProduct] of select(tx, `
    SELECT json_array(price.stripe_id, price.type, price.metadata, product.stripe_id, product.metadata) AS row
    FROM ${TABLES.prices} price LEFT JOIN ${TABLES.products} product ON product.id = price.product
    WHERE price.stripe_id IN (${list})`, values)) prices[id] = { type, metadata, own: own || "", ofProduct }
  return prices
}

// Metadata as text, by Stripe id. Usually each item has the product of its price, which needs no query.
function findProducts(tx, items, prices) {
  const products = {}
  for (const id in prices) products[prices[id].own] = prices[id].ofProduct
  const missing = unique(items, "product").filter((id) => id && !(id in products))
  if (missing.length === 0) return products
  const { list, values } = placeholders(missing)
  for (const [id, metadata] of select(tx, `
    SELECT json_array(stripe_id, metadata) AS row FROM ${TABLES.products} WHERE stripe_id IN (${list})`, values)) {
    products[id] = metadata
  }
  return products
}

// Returns the rows of a query with one JSON column `row`.
function select(tx, query, values) {
  const found = new DynamicModel({ rows: "" })
  tx.db().newQuery(`SELECT '[' || coalesce(group_concat(row), '') || ']' AS rows FROM (${query})`).bind(values).one(found)
  return JSON.parse(found.rows)
}

// The same few texts are read in every transaction.
let read = {}, count = 0
const MAX_READ = 1000

function readTexts(product, price) {
  const key = `${product}\n${price}`
  if (read[key]) return read[key]
  if (count++ >= MAX_READ) [read, count] = [{}, 1]
  return (read[key] = readFeatures(Object.assign({}, toMetadata(product), toMetadata(price))))
}

function toMetadata(text) {
  return JSON.parse(text || "{}") || {}
}

function unique(items, name) {
  const values = {}
  for (const item of items) values[item[name] || ""] = true
  return Object.keys(values)
}

module.exports = { describeFeatures, findFeatures }
