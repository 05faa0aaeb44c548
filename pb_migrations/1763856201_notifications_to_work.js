/// <reference path="../pb_data/types.d.ts" />
// Moves the outbox of notifications to the queue of background work, and removes it. Entries keep their ids, which are
// made of event and handler, so that none is sent twice. An entry that was being sent may have been sent: it is parked.
// If a view of the project reads the outbox, the collection stays for it, unused.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const tablesOf = (app) => {
  const nameOf = names().namesOf(app)
  return { outbox: `\`${nameOf("notifications")}\``, work: `\`${nameOf("work")}\`` }
}
const run = (app, sql) => app.db().newQuery(sql).execute()

const UNCERTAIN = "Its process ended or hung: it may have been done."

// Mails run once at most, until they are too old; handlers have 20 tries and do not expire.
const TO_WORK = ({ outbox, work }) => `
  INSERT OR IGNORE INTO ${work} (id, kind, handler, source, payload, status, due, expires, attempts, tries, at_most_once, error,
    claim, created, completed_at, seq)
  SELECT id, 'event', channel, event,
    json_object('kind', CASE WHEN instr(kind, '.') THEN '' ELSE kind END, 'collection', collection, 'record', record,
      'customer', customer, 'created', created),
    CASE status WHEN 'sent' THEN 'done' WHEN 'skipped' THEN 'cancelled' WHEN 'waiting' THEN 'waiting' ELSE 'parked' END,
    due, CASE channel WHEN 'mail' THEN expires ELSE '' END,
    CASE WHEN channel = 'mail' OR status != 'waiting' THEN attempts ELSE 0 END,
    CASE channel WHEN 'mail' THEN 0 ELSE 20 END, channel = 'mail',
    CASE status WHEN 'sending' THEN '${UNCERTAIN}' ELSE reason END, CASE status WHEN 'sending' THEN 'unknown' ELSE '' END,
    created, CASE status WHEN 'waiting' THEN '' WHEN 'sending' THEN locked_at ELSE completed_at END,
    (SELECT coalesce(max(seq), 0) FROM ${work}) + row_number() OVER (ORDER BY created, id)
  FROM ${outbox}`

// An item that runs may be done twice by two releases, so it becomes one that may have been sent.
const TO_OUTBOX = ({ outbox, work }) => `
  INSERT OR REPLACE INTO ${outbox} (id, event, kind, channel, status, reason, attempts, collection, record, customer, created, due,
    expires, locked_at, completed_at)
  SELECT id, source, coalesce(nullif(payload ->> 'kind', ''),
      (SELECT type FROM EVENTS WHERE stripe_id = source), 'event'), handler,
    CASE status WHEN 'done' THEN 'sent' WHEN 'cancelled' THEN 'skipped' WHEN 'waiting' THEN 'waiting' WHEN 'running'
      THEN 'sending' ELSE CASE WHEN claim != '' THEN 'sending' ELSE 'failed' END END,
    error, attempts, coalesce(payload ->> 'collection', ''), coalesce(payload ->> 'record', ''),
    coalesce(payload ->> 'customer', ''), coalesce(payload ->> 'created', created), due,
    coalesce(nullif(expires, ''), strftime('%Y-%m-%d %H:%M:%fZ', created, '+72 hours')), due, completed_at
  FROM ${work} WHERE kind = 'event'`

const isRead = (app, name) => [...app.findAllCollections()].some((found) => found.isView() && found.viewQuery.includes(name))

migrate((app) => {
  run(app, TO_WORK(tablesOf(app)))
  const outbox = names().find(app, "notifications")
  if (!isRead(app, outbox.name)) app.delete(outbox)
}, (app) => {
  const name = names().namesOf(app)("notifications")
  if (![...app.findAllCollections()].some((found) => found.name === name)) addOutbox(app, name)
  run(app, TO_OUTBOX(tablesOf(app)).replace("EVENTS", `\`${names().namesOf(app)("stripe_events")}\``))
  run(app, `DELETE FROM ${tablesOf(app).work} WHERE kind = 'event'`)
})

function addOutbox(app, name) {
  const text = (column) => ({ name: column, type: "text" })
  const date = (column) => ({ name: column, type: "date" })
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "event", type: "text", required: true, max: 255 },
      ...["kind", "channel", "status", "reason"].map(text), { name: "attempts", type: "number" },
      ...["collection", "record", "customer"].map(text),
      ...["created", "due", "expires", "locked_at", "completed_at"].map(date),
    ],
    indexes: [
      `CREATE INDEX idx_${name}_due ON ${name} (due) WHERE status = 'waiting'`,
      `CREATE INDEX idx_${name}_event ON ${name} (event)`,
      `CREATE INDEX idx_${name}_status ON ${name} (status, created)`,
      `CREATE INDEX \`idx_${name}_record\` ON \`${name}\` (record) WHERE record != ''`,
    ],
  }))
}
