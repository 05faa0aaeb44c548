/// <reference path="../pb_data/types.d.ts" />
// Owners may delete their organization, which ends its billing: pb_hooks/lib/customers/customer_deletion.js.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const organizations = names().find(app, "organizations")
  const nameOf = names().namesOf(app)
  const memberships = `${nameOf("memberships")}_via_organization`
  organizations.deleteRule = `@request.auth.collectionName = "${nameOf("users")}" && `
    + `${memberships}.user ?= @request.auth.id && ${memberships}.role ?= "owner"`
  app.save(organizations)
}, (app) => {
  const organizations = names().find(app, "organizations")
  organizations.deleteRule = null
  app.save(organizations)
})
