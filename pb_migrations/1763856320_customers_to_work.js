/// <reference path="../pb_data/types.d.ts" />
// Moves the changes of customers that Stripe still lacks, and the work that is too long for one transaction, to the queue
// of background work, and removes their queues. `payer_changes` keeps the deletions of users and organizations: they
// decide who may own a customer (pb_hooks/lib/customers/customer_deletion.js). If a view of the project reads a removed
// collection, the collection stays for it, unused.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const text = (name, hidden = false) => ({ name, type: "text", max: 5000, hidden })
const number = (name) => ({ name, type: "number" })
const date = (name) => ({ name, type: "date" })

const run = (app, sql, values = {}) => app.db().newQuery(sql).bind(values).execute()
const idOf = (name) => $security.sha256(name).slice(0, 15)
const SYNC = "gateway.customers.sync"
const CHANGES = { update: "update", move: "move", forget: "delete" }
const HANDLERS = { features: "gateway.entitlements.recompute", owner: "gateway.customers.move_rows" }
// Former names could be those of a project's own functions.
const RESOLVE = "gateway.events.resolve"
const OURS = [SYNC, ...Object.values(HANDLERS)].map((name) => `'${name}'`).join(",")

function tablesOf(app) {
  const tables = {}
  for (const key of ["customer_tasks", "deferred_work", "payer_changes", "work"]) tables[key] = `\`${names().namesOf(app)(key)}\``
  return tables
}

function read(app, sql, columns) {
  const found = arrayOf(new DynamicModel(Object.fromEntries(columns.map((name) => [name, ""]))))
  const list = columns.map((name) => `CAST(coalesce(\`${name}\`, '') AS TEXT) AS \`${name}\``).join(", ")
  app.db().newQuery(`SELECT ${list} FROM ${sql}`).all(found)
  return found.map((row) => Object.assign({}, row))
}

function addChanges(app, name) {
  app.save(new Collection({
    name, type: "base",
    fields: [
      text("kind"), // deleted or promoted
      text("payer"), // a user's id, or organizations/ and an organization's
      text("customer"), // of a deletion: the Stripe customer's id, empty if the payer had none
      text("address", true), // the hash of a deleted user's verified e-mail address
      text("outcome"), // kept, canceled, deleted, gone, none, failed or cancelled; empty while it is pending
      { name: "reopened", type: "bool", hidden: true }, // the organization has had members again
      date("created"), date("finished"),
    ],
    indexes: [
      `CREATE INDEX idx_${name}_customer ON ${name} (customer)`,
      `CREATE INDEX idx_${name}_payer ON ${name} (payer)`,
    ],
  }))
}

const TO_CHANGES = ({ customer_tasks, payer_changes }) => `
  INSERT OR IGNORE INTO ${payer_changes} (id, kind, payer, customer, address, outcome, reopened, created, finished)
  SELECT id, CASE kind WHEN 'forget' THEN 'deleted' ELSE 'promoted' END, user, customer, coalesce(address, ''),
    CASE kind WHEN 'forget' THEN outcome ELSE '' END, kind = 'forget' AND version = 0, created, finished
  FROM ${customer_tasks} WHERE kind IN ('forget', 'promote')`

const ADD = ({ work }) => `
  INSERT OR IGNORE INTO ${work} (id, kind, handler, key, source, payload, state, status, due, attempts, tries, error, created,
    completed_at, seq)
  SELECT {:id}, 'task', {:handler}, {:key}, {:source}, {:payload}, {:state}, {:status}, {:due}, {:attempts}, 0, {:error},
    {:created}, {:completed_at}, (SELECT coalesce(max(seq), 0) + 1 FROM ${work})`

// An update or move that Stripe has refused is parked, as today.
function addSyncs(app, tables) {
  const columns = ["id", "kind", "user", "customer", "outcome", "error", "attempts", "due", "created", "finished"]
  const open = `${tables.customer_tasks} WHERE kind IN ('update', 'move', 'forget') AND customer != ''
    AND (outcome = '' OR outcome = 'failed' AND kind != 'forget') ORDER BY created, id`
  for (const task of read(app, open, columns)) {
    const change = CHANGES[task.kind]
    const isFailed = task.outcome === "failed"
    run(app, ADD(tables), {
      id: idOf(`${SYNC} ${change} ${task.customer}`), handler: SYNC, key: task.customer, source: `${change} ${task.user}`,
      payload: JSON.stringify({ change, payer: task.user, deletion: change === "delete" ? task.id : "" }), state: null,
      status: isFailed ? "parked" : "waiting", due: task.due || task.created, attempts: Number(task.attempts) || 0,
      error: task.error, created: task.created, completed_at: isFailed ? task.finished : "",
    })
  }
}

function addParts(app, tables) {
  const columns = ["kind", "object", "cursor", "error", "created", "updated"]
  for (const row of read(app, `${tables.deferred_work} ORDER BY updated, id`, columns)) {
    const handler = HANDLERS[row.kind]
    if (!handler) continue
    run(app, ADD(tables), {
      id: idOf(`${handler} ${row.object}`), handler, key: "", source: row.object,
      payload: JSON.stringify({ object: row.object }), state: row.cursor ? JSON.stringify({ cursor: row.cursor }) : null,
      status: "waiting", due: row.updated, attempts: 0, error: row.error, created: row.created, completed_at: "",
    })
  }
}

const RENAME = ({ work }, from, to) => `UPDATE ${work} SET handler = '${to}' WHERE handler = '${from}' AND kind = 'event'`

const isRead = (app, name) => [...app.findAllCollections()].some((found) => found.isView() && found.viewQuery.includes(name))

migrate((app) => {
  const tables = tablesOf(app)
  addChanges(app, names().namesOf(app)("payer_changes"))
  run(app, TO_CHANGES(tables))
  addSyncs(app, tables)
  addParts(app, tables)
  run(app, RENAME(tables, "events.resolve", RESOLVE))
  for (const key of ["customer_tasks", "deferred_work"]) {
    const collection = names().find(app, key)
    if (!isRead(app, collection.name)) app.delete(collection)
  }
}, (app) => {
  const nameOf = names().namesOf(app)
  const tables = tablesOf(app)
  const present = [...app.findAllCollections()].map(({ name }) => name)
  for (const key in RESTORE) {
    if (present.includes(nameOf(key))) run(app, `DELETE FROM ${tables[key]}`)
    else RESTORE[key](app, nameOf(key))
  }
  run(app, RENAME(tables, RESOLVE, "events.resolve"))
  run(app, TO_TASKS(tables))
  run(app, TO_OPEN_TASKS(tables))
  run(app, TO_DEFERRED(tables))
  run(app, `DELETE FROM ${tables.work} WHERE handler IN (${OURS})`)
  app.delete(names().find(app, "payer_changes"))
})

const TO_TASKS = ({ customer_tasks, payer_changes, work }) => `
  INSERT OR REPLACE INTO ${customer_tasks} (id, kind, user, customer, version, outcome, error, attempts, due, address, created, finished)
  SELECT id, CASE kind WHEN 'deleted' THEN 'forget' ELSE 'promote' END, payer, customer, NOT reopened,
    CASE kind WHEN 'deleted' THEN outcome ELSE 'promoted' END,
    coalesce((SELECT error FROM ${work} WHERE payload ->> 'deletion' = ${payer_changes}.id), ''), 0, created, address, created,
    finished
  FROM ${payer_changes}`

const TO_OPEN_TASKS = ({ customer_tasks, work }) => `
  INSERT OR REPLACE INTO ${customer_tasks} (id, kind, user, customer, version, outcome, error, attempts, due, created, finished)
  SELECT id, payload ->> 'change', payload ->> 'payer', key, 1, iif(status = 'parked', 'failed', ''), error, attempts, due, created,
    completed_at
  FROM ${work} WHERE handler = '${SYNC}' AND status IN ('waiting', 'running', 'parked') AND payload ->> 'change' != 'delete'`

const TO_DEFERRED = ({ deferred_work, work }) => `
  INSERT OR REPLACE INTO ${deferred_work} (id, kind, object, cursor, error, created, updated)
  SELECT printf('r%014d', row_number() OVER (ORDER BY seq)), iif(handler = '${HANDLERS.owner}', 'owner', 'features'), payload ->> 'object', coalesce(state ->> 'cursor', ''), error,
    created, due
  FROM ${work} WHERE handler IN ('${HANDLERS.features}', '${HANDLERS.owner}') AND status IN ('waiting', 'running')`

const RESTORE = { customer_tasks: restoreTasks, deferred_work: restoreDeferred }

function restoreTasks(app, name) {
  app.save(new Collection({
    name, type: "base",
    fields: [
      ...["kind", "user", "customer"].map((column) => text(column)), number("version"), text("outcome"), text("error"),
      number("attempts"), ...["due", "created", "finished"].map(date), text("address", true),
    ],
    indexes: [
      `CREATE INDEX idx_${name}_due ON ${name} (due) WHERE outcome = ''`,
      `CREATE INDEX idx_${name}_customer ON ${name} (customer)`,
      `CREATE INDEX idx_${name}_user ON ${name} (user)`,
    ],
  }))
}

function restoreDeferred(app, name) {
  app.save(new Collection({
    name, type: "base",
    fields: [...["kind", "object", "cursor", "error"].map((column) => text(column)), date("created"), date("updated")],
    indexes: [
      `CREATE UNIQUE INDEX idx_${name}_object ON ${name} (kind, object)`,
      `CREATE INDEX idx_${name}_updated ON ${name} (updated)`,
    ],
  }))
}
