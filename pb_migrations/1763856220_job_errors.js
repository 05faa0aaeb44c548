/// <reference path="../pb_data/types.d.ts" />
// Hides the errors of jobs from their users, because they can have internal texts: a job's `result` has the text for
// the user.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const work = names().find(app, "work")
  work.fields.getByName("error").hidden = true
  app.save(work)
}, (app) => {
  const work = names().find(app, "work")
  work.fields.getByName("error").hidden = false
  app.save(work)
})
