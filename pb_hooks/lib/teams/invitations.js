// Invitations to a membership, which the invited user accepts or deletes. Only superusers create memberships without
// one. See docs/decisions/023-consent-and-vacancies.md.
// Why here: clients write memberships and invitations directly at PocketBase.
const { NAMES } = require(`${__hooks}/lib/names.js`)
const { inTransaction } = require(`${__hooks}/lib/teams/teams.js`)

// Columns of a membership that an invitation has as well, or that PocketBase fills.
const OWN = ["id", "organization", "user", "role", "created", "updated"]

// Answers a manager's request for a membership with an invitation. The create rule of `memberships` was checked before.
function inviteInstead(e) {
  if (e.hasSuperuserAuth()) return e.next()
  const invitation = new Record(e.app.findCachedCollectionByNameOrId(NAMES.membership_invitations))
  const values = e.record.fieldsData()
  const extra = {}
  for (const name in values) if (!OWN.includes(name)) extra[name] = values[name]
  const [organization, user, role] = ["organization", "user", "role"].map((name) => e.record.getString(name))
  invitation.load({ organization, user, role, extra })
  checkInvitation(e, invitation)
  e.app.save(invitation)
  $apis.enrichRecord(e.requestEvent, invitation)
  return e.json(200, invitation)
}

function checkRequest(e) {
  if (!e.hasSuperuserAuth()) checkInvitation(e, e.record)
  e.next()
}

function checkInvitation(e, invitation) {
  invitation.set("accepted", false)
  const roles = e.app.findCachedCollectionByNameOrId(NAMES.memberships).fields.getByName("role").values
  if (![...roles].includes(invitation.getString("role"))) {
    refuse("role", "validation_invalid_role", "This role does not exist.")
  }
  if (findMembership(e.app, invitation)) {
    refuse("user", "validation_already_member", "This user is already a member.")
  }
}

function refuse(field, code, message) {
  throw new BadRequestError("Failed to create record.", { [field]: new ValidationError(code, message) })
}

function findMembership(app, invitation) {
  const [organization, user] = [invitation.getString("organization"), invitation.getString("user")]
  return app.findRecordsByFilter(
    NAMES.memberships, "organization = {:organization} && user = {:user}", "", 1, 0, { organization, user })[0]
}

// Replaces an accepted invitation by the membership. The invited user can't change any other column.
function accept(e) {
  const before = e.record.original()
  if (!e.hasSuperuserAuth()) {
    for (const name of ["organization", "user", "role", "extra"]) e.record.set(name, before.get(name))
  }
  if (!e.record.getBool("accepted")) return e.next()
  inTransaction(e, (tx) => {
    // It may have been deleted or have got another role since the record was loaded.
    const [current] = tx.findRecordsByIds(e.record.collection(), [e.record.lastSavedPK()])
    if (!current) throw new NotFoundError()
    if (!e.hasSuperuserAuth()) {
      for (const name of ["organization", "user", "role", "extra"]) e.record.set(name, current.get(name))
    }
    e.next()
    if (!findMembership(tx, e.record)) tx.save(buildMembership(tx, e.record))
    tx.delete(e.record)
  })
}

function buildMembership(tx, invitation) {
  const membership = new Record(tx.findCachedCollectionByNameOrId(NAMES.memberships))
  const extra = JSON.parse(invitation.getString("extra") || "{}") || {}
  const values = {}
  for (const name of ["organization", "user", "role"]) values[name] = invitation.getString(name)
  membership.load({ ...extra, ...values })
  return membership
}

// Adds the organization's name: the invited user can't read the organization yet.
function addName(e) {
  e.next()
  const [organization] = e.app.findRecordsByIds(NAMES.organizations, [e.record.getString("organization")])
  e.record.withCustomData(true)
  e.record.set("organization_name", organization ? organization.getString("name") : "")
}

// Called before a user is deleted.
function deleteOfUser(tx, user) {
  for (const invitation of tx.findAllRecords(NAMES.membership_invitations, $dbx.hashExp({ user }))) tx.delete(invitation)
}

module.exports = { accept, addName, checkRequest, deleteOfUser, inviteInstead }
