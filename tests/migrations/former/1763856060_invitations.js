/// <reference path="../pb_data/types.d.ts" />
// Members join by accepting an invitation, and managers are named roles: owner and admin.
//
// `membership_invitations` is a collection of its own, so a pending one can't match a rule on `memberships`. Its `user`
// is text: a relation would report whether an account with that id exists. See docs/decisions/023.

const IS_USER = '@request.auth.collectionName = "users"'
const MEMBERSHIPS = "memberships_via_organization"

// Conditions on one path are about one membership.
const isMember = (path) => `${path}${MEMBERSHIPS}.user ?= @request.auth.id`
const isOwner = (path) => `${isMember(path)} && ${path}${MEMBERSHIPS}.role ?= "owner"`
const isManager = (path) => `${isMember(path)} && (${path}${MEMBERSHIPS}.role ?= "owner" || `
  + `${path}${MEMBERSHIPS}.role ?= "admin")`
// The rule of 1763856008_teams.js: also every role that a shop adds.
const isNotPlain = (path) => `${isMember(path)} && ${path}${MEMBERSHIPS}.role ?!= "member"`

const BY_MANAGERS = ["customers", "tax_ids", "payment_methods", "setup_intents",
  "subscription_schedules", "checkout_sessions", "payments", "charges", "refunds", "invoices",
  "invoice_payments", "credit_notes"]

function addInvitations(app) {
  const manages = `${IS_USER} && ${isManager("organization.")}`
  const mayOffer = `(role != "owner" || (${isOwner("organization.")}))`
  const isTheirs = "user = @request.auth.id"
  app.save(new Collection({
    name: "membership_invitations", type: "base",
    fields: [
      { name: "organization", type: "relation", required: true, maxSelect: 1, cascadeDelete: true,
        collectionId: app.findCollectionByNameOrId("organizations").id },
      { name: "user", type: "text", required: true, max: 15 },
      { name: "role", type: "text", required: true, max: 100 },
      { name: "accepted", type: "bool" }, // set by the invited user
      { name: "extra", type: "json", hidden: true }, // further fields of the membership
      { name: "created", type: "autodate", onCreate: true },
    ],
    indexes: [
      "CREATE UNIQUE INDEX idx_membership_invitations_organization_user ON membership_invitations (organization, user)",
      "CREATE INDEX idx_membership_invitations_user ON membership_invitations (user)",
    ],
    listRule: `${IS_USER} && (${isTheirs} || (${isManager("organization.")}))`,
    viewRule: `${IS_USER} && (${isTheirs} || (${isManager("organization.")}))`,
    createRule: `${manages} && ${mayOffer}`,
    updateRule: `${IS_USER} && ${isTheirs} && @request.body.accepted = true`,
    deleteRule: `${IS_USER} && (${isTheirs} || (${isManager("organization.")} && ${mayOffer}))`,
  }))
}

// `manages`: the rule that says who is a manager.
function setManagers(app, manages) {
  const organizations = app.findCollectionByNameOrId("organizations")
  organizations.updateRule = `${IS_USER} && ${manages("")}`
  app.save(organizations)

  const memberships = app.findCollectionByNameOrId("memberships")
  const owns = isOwner("organization.")
  const theirs = `${IS_USER} && ${manages("organization.")}`
  const kept = "@request.body.organization:changed = false && @request.body.user:changed = false"
  memberships.createRule = `${theirs} && (role != "owner" || (${owns}))`
  memberships.updateRule =
    `${theirs} && ${kept} && ((role != "owner" && @request.body.role != "owner") || (${owns}))`
  memberships.deleteRule = `${IS_USER} && (user = @request.auth.id || (${theirs} && (role != "owner" || (${owns}))))`
  app.save(memberships)

  for (const name of BY_MANAGERS) {
    const collection = app.findCollectionByNameOrId(name)
    const rule = `${IS_USER} && (user = @request.auth.id || (${manages("organization.")}))`
    collection.listRule = collection.viewRule = rule
    app.save(collection)
  }
}

migrate((app) => {
  addInvitations(app)
  setManagers(app, isManager)
}, (app) => {
  setManagers(app, isNotPlain)
  app.delete(app.findCollectionByNameOrId("membership_invitations"))
})
