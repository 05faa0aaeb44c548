/// <reference path="../pb_data/types.d.ts" />
// Organizations, memberships and invitations.
// Why here: clients write these records directly, and API rules can't count owners or write a second record.

// Transforms first: other hooks of a write may open a transaction, and the gateway is called before one.
require(`${__hooks}/lib/transforms/hooks.js`)

// Users can't choose an id: Stripe objects may still name a deleted organization, and would become theirs.
onRecordCreateRequest((e) => {
  require(`${__hooks}/lib/requests/chosen_id.js`).refuseChosenId(e)
  e.next()
}, ...["organizations", "memberships", "membership_invitations"].map(require(`${__hooks}/lib/names.js`).nameOf))

// The user who creates an organization becomes its owner.
onRecordCreateRequest((e) => {
  require(`${__hooks}/lib/teams/teams.js`).createWithOwner(e)
}, require(`${__hooks}/lib/names.js`).nameOf("organizations"))

// Members have to consent: a manager invites a user, who accepts.
onRecordCreateRequest((e) => {
  return require(`${__hooks}/lib/teams/invitations.js`).inviteInstead(e)
}, require(`${__hooks}/lib/names.js`).nameOf("memberships"))

onRecordCreateRequest((e) => {
  require(`${__hooks}/lib/teams/invitations.js`).checkRequest(e)
}, require(`${__hooks}/lib/names.js`).nameOf("membership_invitations"))

onRecordUpdateRequest((e) => {
  require(`${__hooks}/lib/teams/invitations.js`).accept(e)
}, require(`${__hooks}/lib/names.js`).nameOf("membership_invitations"))

onRecordEnrich((e) => {
  require(`${__hooks}/lib/teams/invitations.js`).addName(e)
}, require(`${__hooks}/lib/names.js`).nameOf("membership_invitations"))

// An organization keeps at least one owner, also if two leave at the same time.
onRecordUpdateRequest((e) => {
  require(`${__hooks}/lib/teams/teams.js`).requireOwner(e)
}, require(`${__hooks}/lib/names.js`).nameOf("memberships"))

onRecordDeleteRequest((e) => {
  require(`${__hooks}/lib/teams/teams.js`).requireOwner(e)
}, require(`${__hooks}/lib/names.js`).nameOf("memberships"))

onRecordDeleteRequest((e) => {
  require(`${__hooks}/lib/teams/teams.js`).requireOtherOwners(e)
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

// Subscription items with a quantity that differs from the organization's number of members: ?after=ITEM.
routerAdd("GET", "/api/gateway/seats", (e) => {
  const { findWrongSeats } = require(`${__hooks}/lib/teams/seats.js`)
  return e.json(200, findWrongSeats($app, e.requestInfo().query.after || ""))
}, $apis.requireSuperuserAuth())

onRecordAfterCreateSuccess((e) => {
  require(`${__hooks}/lib/teams/vacancies.js`).reopen(e.app)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("memberships"))

// The address of the removed member may be that of the organization's customer at Stripe.
onRecordDeleteExecute((e) => {
  const { NAMES } = require(`${__hooks}/lib/names.js`)
  const [user] = e.app.findRecordsByIds(NAMES.users, [e.record.getString("user")])
  if (user) require(`${__hooks}/lib/customers/billing_contacts.js`).saveContacts(e.app, user.id, user.email())
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("memberships"))

// A changed name goes to Stripe's customer.
onRecordUpdate((e) => {
  if (e.record.original().getString("name") === e.record.getString("name")) return e.next()
  const app = e.app
  app.runInTransaction((tx) => {
    e.app = tx
    e.next()
    require(`${__hooks}/lib/customers/billing_contacts.js`).enqueueNameUpdates(tx, e.record.id)
  })
  e.app = app
}, require(`${__hooks}/lib/names.js`).nameOf("organizations"))

// Checks organizations that are billed without an owner or members, or to a former member: {seen}.
routerAdd("POST", "/api/gateway/organizations/check", (e) => {
  const { seen } = require(`${__hooks}/lib/requests/schemas.js`).read(e, "CHECK")
  const { checkOrganizations } = require(`${__hooks}/lib/teams/vacancies.js`)
  const answer = checkOrganizations($app, { seen })
  require(`${__hooks}/lib/customers/billing_contacts.js`).checkContacts($app)
  return e.json(200, answer)
}, $apis.requireSuperuserAuth())
