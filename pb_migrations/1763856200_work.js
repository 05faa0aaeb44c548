/// <reference path="../pb_data/types.d.ts" />
// The queue of background work, and the handlers that an operator has paused (docs/work.md). Superusers only, except
// that users read their own jobs.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const text = (name, max = 510, hidden = false) => ({ name, type: "text", max, hidden })
const number = (name, hidden = false) => ({ name, type: "number", onlyInt: true, hidden })
const date = (name) => ({ name, type: "date" })
const json = (name, hidden = false) => ({ name, type: "json", hidden, maxSize: 2000000 })

const OPEN = "status IN ('waiting','running')"

migrate((app) => {
  const nameOf = names().namesOf(app)
  const name = nameOf("work")
  const isOwn = `kind = "job" && user != "" && user = @request.auth.id && @request.auth.collectionName = "${nameOf("users")}"`
  app.save(new Collection({
    name, type: "base", listRule: isOwn, viewRule: isOwn,
    fields: [
      text("kind"), // event, record, job, tick or task
      text("handler"),
      text("key", 1000, true), // items of one handler and key run in the order of `seq`; empty: in any order
      number("seq", true),
      text("source", 1000), // the cause: an event's id, collection/id of a record, a schedule and its tick
      json("payload", true),
      text("status"), // waiting, running, done, parked or cancelled
      date("due"), // earliest start
      date("expires"), // latest start; empty: none
      { name: "lease", type: "date", hidden: true }, // the end of the claim
      text("claim", 100, true), // the token of the exchange that claimed it
      number("attempts"), // claims, the current one included
      number("tries"), // attempts before it is parked; 0: no limit
      { name: "at_most_once", type: "bool", hidden: true },
      number("version", true), // raised by each enqueue of a coalescing item
      text("error", 5000),
      text("user", 100),
      json("progress"), json("state", true), json("result"),
      { name: "cancel", type: "bool" }, // requested while it runs
      date("created"), date("completed_at"),
    ],
    indexes: [
      `CREATE INDEX idx_${name}_due ON ${name} (due, seq) WHERE status='waiting'`,
      `CREATE INDEX idx_${name}_lease ON ${name} (lease) WHERE status='running'`,
      `CREATE INDEX idx_${name}_key ON ${name} (handler, \`key\`, seq) WHERE ${OPEN}`,
      `CREATE INDEX idx_${name}_seq ON ${name} (seq)`,
      // Not (status, created): SQLite would prefer it for claims, and sort all items that wait.
      `CREATE INDEX idx_${name}_created ON ${name} (created, status)`,
      `CREATE INDEX idx_${name}_parked ON ${name} (handler) WHERE status='parked'`,
      `CREATE INDEX idx_${name}_source ON ${name} (source)`,
      `CREATE INDEX idx_${name}_user ON ${name} (user, created) WHERE user!=''`,
    ],
  }))
  const paused = nameOf("paused_handlers")
  app.save(new Collection({
    name: paused, type: "base",
    fields: [
      { name: "handler", type: "text", required: true, max: 510 },
      { name: "created", type: "autodate", onCreate: true },
    ],
    indexes: [`CREATE UNIQUE INDEX idx_${paused}_handler ON ${paused} (handler)`],
  }))
}, (app) => {
  for (const key of ["paused_handlers", "work"]) app.delete(names().find(app, key))
})
