/// <reference path="../pb_data/types.d.ts" />
// Members join by accepting an invitation. Managers have the role owner or admin.
//
// `membership_invitations` is a collection of its own, so a pending one can't match a rule on `memberships`. Its `user`
// is text: a relation would report whether an account with that id exists. See docs/decisions/023.
const names = () => require(`${__hooks}/lib/migration_names.js`)

// The rules, with the names of the collections.
function buildRules(nameOf) {
  const isUser = `@request.auth.collectionName = "${nameOf("users")}"`
  const memberships = `${nameOf("memberships")}_via_organization`
  // All conditions on one path apply to the same membership.
  const isMember = (path) => `${path}${memberships}.user ?= @request.auth.id`
  const isOwner = (path) => `${isMember(path)} && ${path}${memberships}.role ?= "owner"`
  const isManager = (path) => `${isMember(path)} && (${path}${memberships}.role ?= "owner" || `
    + `${path}${memberships}.role ?= "admin")`
  // The rule of 1763856008_teams.js, which includes roles that a project adds.
  const isNotPlain = (path) => `${isMember(path)} && ${path}${memberships}.role ?!= "member"`
  return { isUser, isOwner, isManager, isNotPlain }
}

const BY_MANAGERS = ["customers", "tax_ids", "payment_methods", "setup_intents",
  "subscription_schedules", "checkout_sessions", "payments", "charges", "refunds", "invoices",
  "invoice_payments", "credit_notes"]

function addInvitations(app, { isUser, isOwner, isManager }) {
  const name = names().namesOf(app)("membership_invitations")
  const manages = `${isUser} && ${isManager("organization.")}`
  const mayOffer = `(role != "owner" || (${isOwner("organization.")}))`
  const isTheirs = "user = @request.auth.id"
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "organization", type: "relation", required: true, maxSelect: 1, cascadeDelete: true,
        collectionId: names().find(app, "organizations").id },
      { name: "user", type: "text", required: true, max: 15 },
      { name: "role", type: "text", required: true, max: 100 },
      { name: "accepted", type: "bool" }, // set by the invited user
      { name: "extra", type: "json", hidden: true }, // further fields of the membership
      { name: "created", type: "autodate", onCreate: true },
    ],
    indexes: [
      `CREATE UNIQUE INDEX idx_${name}_organization_user ON ${name} (organization, user)`,
      `CREATE INDEX idx_${name}_user ON ${name} (user)`,
    ],
    listRule: `${isUser} && (${isTheirs} || (${isManager("organization.")}))`,
    viewRule: `${isUser} && (${isTheirs} || (${isManager("organization.")}))`,
    createRule: `${manages} && ${mayOffer}`,
    updateRule: `${isUser} && ${isTheirs} && @request.body.accepted = true`,
    deleteRule: `${isUser} && (${isTheirs} || (${isManager("organization.")} && ${mayOffer}))`,
  }))
}

// `manages`: the rule for managers.
function setManagers(app, { isUser, isOwner }, manages) {
  const organizations = names().find(app, "organizations")
  organizations.updateRule = `${isUser} && ${manages("")}`
  app.save(organizations)

  const memberships = names().find(app, "memberships")
  const owns = isOwner("organization.")
  const theirs = `${isUser} && ${manages("organization.")}`
  const kept = "@request.body.organization:changed = false && @request.body.user:changed = false"
  memberships.createRule = `${theirs} && (role != "owner" || (${owns}))`
  memberships.updateRule =
    `${theirs} && ${kept} && ((role != "owner" && @request.body.role != "owner") || (${owns}))`
  memberships.deleteRule = `${isUser} && (user = @request.auth.id || (${theirs} && (role != "owner" || (${owns}))))`
  app.save(memberships)

  for (const name of BY_MANAGERS) {
    const collection = names().find(app, name)
    const rule = `${isUser} && (user = @request.auth.id || (${manages("organization.")}))`
    collection.listRule = collection.viewRule = rule
    app.save(collection)
  }
}

migrate((app) => {
  const rules = buildRules(names().namesOf(app))
  addInvitations(app, rules)
  setManagers(app, rules, rules.isManager)
}, (app) => {
  const rules = buildRules(names().namesOf(app))
  setManagers(app, rules, rules.isNotPlain)
  app.delete(names().find(app, "membership_invitations"))
})
