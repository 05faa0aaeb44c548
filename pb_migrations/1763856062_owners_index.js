/// <reference path="../pb_data/types.d.ts" />
// Index to find organizations without an owner, every few seconds: pb_hooks/lib/teams/vacancies.js.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const memberships = names().find(app, "memberships")
  memberships.addIndex(`idx_${memberships.name}_owner`, false, "organization", "role = 'owner'")
  app.save(memberships)
}, (app) => {
  const memberships = names().find(app, "memberships")
  memberships.removeIndex(`idx_${memberships.name}_owner`)
  app.save(memberships)
})
