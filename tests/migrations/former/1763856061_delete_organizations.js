/// <reference path="../pb_data/types.d.ts" />
// Owners delete their organization, which ends its billing: pb_hooks/lib/customers/customer_deletion.js.

migrate((app) => {
  const organizations = app.findCollectionByNameOrId("organizations")
  organizations.deleteRule = '@request.auth.collectionName = "users" && '
    + "memberships_via_organization.user ?= @request.auth.id && "
    + 'memberships_via_organization.role ?= "owner"'
  app.save(organizations)
}, (app) => {
  const organizations = app.findCollectionByNameOrId("organizations")
  organizations.deleteRule = null
  app.save(organizations)
})
