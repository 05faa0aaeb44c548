// Owners of organizations, and the users who may act for them.
// Why here: clients write organizations and memberships directly at PocketBase; owners are counted in the transaction
// of the write.
const { NAMES } = require(`${__hooks}/lib/names.js`)

// Creates the organization and the owner's membership in one transaction.
function createWithOwner(e) {
  if (e.hasSuperuserAuth()) return e.next()
  inTransaction(e, (tx) => {
    e.next()
    const membership = new Record(tx.findCollectionByNameOrId(NAMES.memberships))
    membership.load({ organization: e.record.id, user: e.auth.id, role: "owner" })
    tx.save(membership)
  })
}

// Refuses a change that leaves members without an owner, except by a superuser. The last member may leave: billing ends
// then (lib/teams/vacancies.js). The role is read in the transaction: the member may have become an owner since the
// record was loaded.
function requireOwner(e) {
  if (e.hasSuperuserAuth()) return e.next()
  inTransaction(e, (tx) => {
    const [before] = tx.findRecordsByIds(NAMES.memberships, [e.record.lastSavedPK()])
    e.next()
    if (!before || before.getString("role") !== "owner") return
    if (isOwnerless(tx, before.getString("organization"))) {
      throw new BadRequestError("An organization must have at least one owner.")
    }
  })
}

// Refuses to delete a user who leaves members without an owner, except by a superuser.
function requireOtherOwners(e) {
  if (e.hasSuperuserAuth()) return e.next()
  const owned = e.app.findRecordsByFilter(
    NAMES.memberships, "user = {:user} && role = 'owner'", "", 0, 0, { user: e.record.id })
  if (owned.length === 0) return e.next()
  inTransaction(e, (tx) => {
    e.next()
    for (const membership of owned) {
      if (isOwnerless(tx, membership.getString("organization"))) {
        throw new BadRequestError("Make another member an owner of your organizations first.")
      }
    }
  })
}

function isOwnerless(tx, organization) {
  const members = tx.countRecords(NAMES.memberships, $dbx.hashExp({ organization }))
  const owners = tx.countRecords(NAMES.memberships, $dbx.hashExp({ organization, role: "owner" }))
  return members > 0 && owners === 0
}

// Runs `act` in a transaction of which the request's own write is a part.
function inTransaction(e, act) {
  const app = e.app
  app.runInTransaction((tx) => {
    e.app = tx
    try {
      act(tx)
    } finally {
      e.app = app
    }
  })
}

// The organization, if the caller may buy for it and manage it: PocketBase's update rule decides. Otherwise null.
function findManaged(app, info, id) {
  if (typeof id !== "string" || id === "") return null
  const [record] = app.findRecordsByIds(NAMES.organizations, [id])
  const mayManage = !!record && app.canAccessRecord(record, info, record.collection().updateRule)
  return mayManage ? record : null
}

module.exports = { createWithOwner, findManaged, inTransaction, requireOtherOwners, requireOwner }
