/// <reference path="../pb_data/types.d.ts" />
// What rules can't say about organizations.

// Transforms come before the hooks below, which open transactions.
require(`${__hooks}/lib/transforms/hooks.js`)

// Nobody chooses their id: what Stripe names might be another's of before.
onRecordCreateRequest((e) => {
  require(`${__hooks}/lib/teams/teams.js`).refuseChosenId(e)
  e.next()
}, ...["organizations", "memberships", "membership_invitations"].map(require(`${__hooks}/lib/names.js`).nameOf))

// Whoever makes an organization owns it.
onRecordCreateRequest((e) => {
  require(`${__hooks}/lib/teams/teams.js`).createWithOwner(e)
}, require(`${__hooks}/lib/names.js`).nameOf("organizations"))

// Members have to consent: a manager invites, the invited user accepts.
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

// An organization keeps an owner, also when two of them leave at once.
onRecordUpdateRequest((e) => {
  require(`${__hooks}/lib/teams/teams.js`).requireOwner(e)
}, require(`${__hooks}/lib/names.js`).nameOf("memberships"))

onRecordDeleteRequest((e) => {
  require(`${__hooks}/lib/teams/teams.js`).requireOwner(e)
}, require(`${__hooks}/lib/names.js`).nameOf("memberships"))

onRecordDeleteRequest((e) => {
  require(`${__hooks}/lib/teams/teams.js`).keepOwners(e)
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

// Subscriptions whose quantity should be the organization's number of members, and is not: ?after=ITEM.
routerAdd("GET", "/api/gateway/seats", (e) => {
  const { findWrongSeats } = require(`${__hooks}/lib/teams/seats.js`)
  return e.json(200, findWrongSeats($app, e.requestInfo().query.after || ""))
}, $apis.requireSuperuserAuth())

onRecordAfterCreateSuccess((e) => {
  require(`${__hooks}/lib/teams/vacancies.js`).reopen(e.app)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("memberships"))

// The leaving member's address may be the one at Stripe.
onRecordDeleteExecute((e) => {
  const { NAMES } = require(`${__hooks}/lib/names.js`)
  const [user] = e.app.findRecordsByIds(NAMES.users, [e.record.getString("user")])
  if (user) require(`${__hooks}/lib/customers/billing_contacts.js`).remember(e.app, user.id, user.email())
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("memberships"))

// Stripe's customer has the organization's name.
onRecordUpdate((e) => {
  if (e.record.original().getString("name") === e.record.getString("name")) return e.next()
  const app = e.app
  app.runInTransaction((tx) => {
    e.app = tx
    e.next()
    require(`${__hooks}/lib/customers/billing_contacts.js`).noteName(tx, e.record.id)
  })
  e.app = app
}, require(`${__hooks}/lib/names.js`).nameOf("organizations"))

// Organizations that are billed without an owner or members, or to somebody who has left: {seen}.
routerAdd("POST", "/api/gateway/organizations/check", (e) => {
  const { seen } = require(`${__hooks}/lib/requests/schemas.js`).read(e, "CHECK")
  const { checkOrganizations } = require(`${__hooks}/lib/teams/vacancies.js`)
  const answer = checkOrganizations($app, { seen })
  require(`${__hooks}/lib/customers/billing_contacts.js`).checkContacts($app)
  return e.json(200, answer)
}, $apis.requireSuperuserAuth())
