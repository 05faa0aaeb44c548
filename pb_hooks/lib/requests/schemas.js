// The shapes of the bodies of the gateway's routes.
// Why here: the routes are PocketBase's, and users can call one of them with their own token.
const { any, choice, flag, list, members, optional, readInput, text, texts, whole } = require(`${__hooks}/lib/requests/validate.js`)

// Stripe's ids and names have at most 255 characters, of up to two UTF-16 units each.
const NAME = text(510)
const ID = text(100)
const YEAR_SECONDS = 366 * 86400

// Keys and request hashes must be digests, so that callers can't fill the table or occupy its reserved names.
const ORDER = members({
  key: text(40, /^([0-9a-f]{40})?$/), request_hash: text(64, /^([0-9a-f]{64})?$/), once: optional(flag, false),
})

const BUYER = {
  prices: optional(list(500, NAME), []),
  subscription: optional(NAME, ""),
  organization: optional(text(200), ""),
  owner_of: optional(NAME, ""),
  others: optional(flag, false),
  order: optional(ORDER, null),
}
const PRICES = { prices: list(500, NAME) }
const PENDING_CHECKOUT = { buyer: ID, number: whole(0, Number.MAX_SAFE_INTEGER) }
const CHECKPOINT = { deferred: flag }
const CHECK = { seen: list(1000, ID) }
const CHANGE = { change: choice("update", "move", "delete"), payer: NAME, customer: NAME, deletion: optional(ID, "") }
const PART = { id: ID }
const PREVIEW = {
  preview: ID, key: ID, subscription: NAME, date: whole(0, Number.MAX_SAFE_INTEGER),
  now: optional(whole(0, Number.MAX_SAFE_INTEGER), 0), is_credit: optional(flag, false),
}
const PRUNE = {
  before: text(30, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z$/), limit: whole(1, 10000), dry_run: flag,
  rows: optional(flag, false),
}
const METERED = { user: optional(NAME, ""), organization: optional(NAME, ""), meter: NAME }
const MAIL = {
  from: members({ name: optional(text(1000), ""), address: text(1000) }), to: text(1000), subject: text(5000),
  text: optional(text(1000000), ""), html: optional(text(1000000), ""), headers: optional(texts(50, 5000), {}),
}

const WRITE = {
  method: choice("create", "update", "upsert", "delete"), collection: NAME, id: optional(NAME, ""),
  data: optional(any, {}),
}
const SETTLE = {
  id: ID, claim: ID, status: choice("waiting", "done", "parked", "cancelled"), delay: optional(whole(0, YEAR_SECONDS), 0),
  error: optional(text(10000), ""), result: optional(any, null), state: optional(any, null),
  writes: optional(list(1000, members(WRITE)), []), undo_attempt: optional(flag, false),
  version: optional(whole(0, Number.MAX_SAFE_INTEGER), null),
}
const RENEW = { id: ID, claim: ID, progress: optional(any, null), state: optional(any, null) }
const EXCHANGE = {
  token: ID, handlers: list(1000, members({ name: NAME, limit: whole(0, 1000) })), limit: whole(0, 1000),
  lease_seconds: whole(1, 86400), settle: optional(list(1000, members(SETTLE)), []),
  renew: optional(list(1000, members(RENEW)), []), again: optional(flag, false),
}
const DATE = text(30, /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z)?$/)
const ITEM = {
  id: text(15, /^[a-z0-9]{15}$/), kind: choice("event", "record", "job", "tick", "task"), handler: NAME,
  key: optional(text(1000), ""), source: optional(text(1000), ""), payload: optional(any, null),
  due: optional(DATE, ""), expires: optional(DATE, ""), tries: optional(whole(0, 1000000), 0),
  at_most_once: optional(flag, false), user: optional(ID, ""), coalesce: optional(flag, false),
}
const ENQUEUE = { items: list(10000, members(ITEM)) }
const RETRY_WORK = { ids: list(1000, ID), handler: optional(NAME, "") }
const CANCEL_WORK = { ids: list(1000, ID) }
const PRUNE_WORK = { limit: whole(1, 10000), done_before: DATE, parked_before: DATE }
const PAUSE_WORK = { handler: NAME, paused: flag }
const ERASURE = {
  user: text(100), customers: list(1000, members({ id: NAME, payer: text(200) })), objects: list(10000, NAME),
  contacts: list(100, NAME), names: list(100, NAME), vacuum: optional(flag, false),
}
const FIND_PART = {
  collection: text(255, /^\w+$/), after: whole(0, Number.MAX_SAFE_INTEGER), limit: whole(1, 1000), texts: list(1000, NAME),
}
const ERASE_PART = {
  ...FIND_PART, key: text(100), user: text(100), own: list(1000, NAME), contacts: list(100, NAME), names: list(100, NAME),
}
const START_JOB = {
  id: text(15, /^[a-z0-9]{15}$/), handler: NAME, user: text(100), payload: text(2000000), tries: whole(1, 1000000),
  max_open: whole(0, 1000000), max_started: whole(0, 1000000), period_seconds: whole(0, YEAR_SECONDS),
}

const EFFECT = members({
  handler: NAME, collection: optional(text(255), ""), event: optional(text(100), ""),
  operations: optional(list(3, text(10)), []), fields: optional(list(500, text(255)), []), key: optional(text(100), ""),
  tries: whole(1, 1000), at_most_once: optional(flag, false),
})
const EFFECTS = { started: whole(0, Number.MAX_SAFE_INTEGER), effects: list(1000, EFFECT) }

const TICKS = {
  ticks: list(1000, members({
    id: text(15, /^[a-z0-9]{15}$/), name: NAME, cron: text(255), timezone: text(100),
    tick: text(30, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z$/), item: optional(members(ITEM), null),
  })),
}

const SHAPES = {
  BUYER, CANCEL_WORK, CHANGE, CHECK, CHECKPOINT, EFFECTS, ENQUEUE, ERASE_PART, ERASURE, EXCHANGE, FIND_PART, METERED, MAIL, PART,
  PAUSE_WORK, PENDING_CHECKOUT, PREVIEW, PRICES, PRUNE, PRUNE_WORK, RETRY_WORK, START_JOB, TICKS,
}

// Reads the body of a request and checks it against one of the shapes.
function read(e, name) {
  return readInput(e, SHAPES[name])
}

module.exports = { read }
