/// <reference path="../pb_data/types.d.ts" />
// Users are found by their address whatever its case, and the verified address of a deleted user is kept as a hash
// with the customers to forget: only who verifies it too gets what stays of them (lib/customers/customer_deletion.js). Of users who
// were deleted before none is known, so nobody gets theirs by an address.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const users = names().find(app, "users")
  users.addIndex(`idx_${users.name}_email_nocase`, false, "email COLLATE NOCASE", "")
  app.save(users)
  const tasks = names().find(app, "customer_tasks")
  tasks.fields.add(new TextField({ name: "address", hidden: true }))
  app.save(tasks)
}, (app) => {
  const tasks = names().find(app, "customer_tasks")
  app.db().newQuery(`DELETE FROM ${tasks.name} WHERE kind = 'move'`).execute()
  tasks.fields.removeByName("address")
  app.save(tasks)
  const users = names().find(app, "users")
  users.removeIndex(`idx_${users.name}_email_nocase`)
  app.save(users)
})
