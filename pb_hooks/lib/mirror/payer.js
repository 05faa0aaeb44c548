// The payer of a row: a user or an organization. A row has two columns, one of them empty. As text, a payer is the
// user's id, or `organizations/` and the organization's id.
// Why here: shared by the transactions of mirror, entitlements and customers. gateway/mirror/projections/payer.py reads
// the same metadata.
const { findOne, userExists } = require(`${__hooks}/lib/mirror/records.js`)
const { metadata: keys } = require(`${__hooks}/lib/vocabulary.json`)

const ORGANIZATION = "organizations/"
const NOBODY = { user: "", organization: "" }

// The columns of a payer.
function columnsOf(payer) {
  if (!payer.startsWith(ORGANIZATION)) return { user: payer, organization: "" }
  return { user: "", organization: payer.slice(ORGANIZATION.length) }
}

// The payer of {user, organization}.
function payerOf({ user, organization }) {
  return organization ? ORGANIZATION + organization : user || ""
}

// The payer of [column, id].
function nameOf([column, id]) {
  return payerOf({ [column]: id })
}

// The payer of a record.
function readPayer(record) {
  return payerOf({ user: record.getString("user"), organization: record.getString("organization") })
}

// The payer that an object's metadata names.
function namedPayer(record) {
  const metadata = JSON.parse(record.getString("metadata") || "{}") || {}
  const [organization, user] = [keys.organization, keys.user].map((key) => `${metadata[key] || ""}`)
  return payerOf({ user, organization })
}

function payerExists(tx, payer) {
  const { user, organization } = columnsOf(payer)
  return organization ? !!findOne(tx, "organizations", organization) : userExists(tx, user)
}

module.exports = { NOBODY, ORGANIZATION, columnsOf, namedPayer, nameOf, payerExists, payerOf, readPayer }
