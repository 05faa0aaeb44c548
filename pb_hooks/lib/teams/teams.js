// Organizations: who owns them, and who may act for them.
const { NAMES } = require(`${__hooks}/lib/names.js`)

function refuseChosenId(e) {
  if (!e.record.id || e.hasSuperuserAuth()) return
  const problem = new ValidationError("validation_id_chosen", "The id can't be chosen.")
  throw new BadRequestError("Failed to create record.", { id: problem })
}

// The rest of the request is one transaction with the owner's membership.
function createWithOwner(e) {
  if (e.hasSuperuserAuth()) return e.next()
  inTransaction(e, (tx) => {
    e.next()
    const membership = new Record(tx.findCollectionByNameOrId(NAMES.memberships))
    membership.load({ organization: e.record.id, user: e.auth.id, role: "owner" })
    tx.save(membership)
  })
}

// Refuses what would leave members without an owner; a superuser may. The last member may leave: the billing
// ends then (lib/teams/vacancies.js). The role is read in the transaction: the member may have become an owner since
// the record was loaded.
function requireOwner(e) {
  if (e.hasSuperuserAuth()) return e.next()
  inTransaction(e, (tx) => {
    const [before] = tx.findRecordsByIds(NAMES.memberships, [e.record.lastSavedPK()])
    e.next()
    if (!before || before.getString("role") !== "owner") return
    if (isOwnerless(tx, before.getString("organization"))) {
      throw new BadRequestError("An organization keeps at least one owner.")
    }
  })
}

// Refuses to delete an account that leaves members without an owner; a superuser may.
function keepOwners(e) {
  if (e.hasSuperuserAuth()) return e.next()
  const owned = e.app.findRecordsByFilter(
    NAMES.memberships, "user = {:user} && role = 'owner'", "", 0, 0, { user: e.record.id })
  if (owned.length === 0) return e.next()
  inTransaction(e, (tx) => {
    e.next()
    for (const membership of owned) {
      if (isOwnerless(tx, membership.getString("organization"))) {
        throw new BadRequestError("Make somebody else an owner of your organizations first.")
      }
    }
  })
}

function isOwnerless(tx, organization) {
  const members = tx.countRecords(NAMES.memberships, $dbx.hashExp({ organization }))
  const owners = tx.countRecords(NAMES.memberships, $dbx.hashExp({ organization, role: "owner" }))
  return members > 0 && owners === 0
}

// PocketBase answers once the transaction has succeeded.
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

// The organization for which the caller of a request may buy and manage: by the rule of who may change
// it. Null where there is none, or it is not theirs to manage.
function findManaged(app, info, id) {
  if (typeof id !== "string" || id === "") return null
  const [record] = app.findRecordsByIds(NAMES.organizations, [id])
  const mayManage = !!record && app.canAccessRecord(record, info, record.collection().updateRule)
  return mayManage ? record : null
}

module.exports = {
  createWithOwner, findManaged, inTransaction, requireOwner, keepOwners, refuseChosenId,
}
