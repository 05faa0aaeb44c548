/// <reference path="../pb_data/types.d.ts" />
// Routes of the queue of background work (docs/work.md). Superusers only.
// Why here: items are claimed and settled in PocketBase's transactions.

// Settles, renews and claims items in one call; see lib/work/exchange.js.
routerAdd("POST", "/api/gateway/work/exchange", (e) => {
  // Cached per VM under a name that no other hook uses: each process calls it for every batch of items.
  const { exchange, isPassing, read, untilUnlocked } = (globalThis.gatewayWork ||= {
    ...require(`${__hooks}/lib/work/exchange.js`),
    ...require(`${__hooks}/lib/requests/schemas.js`),
    ...require(`${__hooks}/lib/database/sql.js`),
  })
  const body = read(e, "EXCHANGE")
  try {
    const text = untilUnlocked(() => exchange($app, body))
    e.response.header().set("Content-Type", "application/json")
    return e.string(200, text)
  } catch (error) {
    if (isPassing(error)) throw new ApiError(503, "The database can't be written right now.", {})
    throw error
  }
}, $apis.bodyLimit(require(`${__hooks}/lib/requests/limits.js`).MAX_BYTES), $apis.requireSuperuserAuth())

// Does one part of an item that is too long for one transaction; see lib/work/parts.js.
routerAdd("POST", "/api/gateway/work/part", (e) => {
  const { doPart } = require(`${__hooks}/lib/work/parts.js`)
  return e.json(200, doPart($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "PART")))
}, $apis.requireSuperuserAuth())

// Adds items: {items}. Returns {changed}, their number without those that the queue has already.
routerAdd("POST", "/api/gateway/work/enqueue", (e) => {
  const { enqueue } = require(`${__hooks}/lib/work/queue.js`)
  const { items } = require(`${__hooks}/lib/requests/schemas.js`).read(e, "ENQUEUE")
  return e.json(200, { changed: enqueue($app, items) })
}, $apis.bodyLimit(require(`${__hooks}/lib/requests/limits.js`).MAX_BYTES), $apis.requireSuperuserAuth())

routerAdd("POST", "/api/gateway/work/retry", (e) => {
  const { retry } = require(`${__hooks}/lib/work/operate.js`)
  return e.json(200, retry($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "RETRY_WORK")))
}, $apis.requireSuperuserAuth())

routerAdd("POST", "/api/gateway/work/cancel", (e) => {
  const { cancel } = require(`${__hooks}/lib/work/operate.js`)
  return e.json(200, cancel($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "CANCEL_WORK")))
}, $apis.requireSuperuserAuth())

routerAdd("POST", "/api/gateway/work/pause", (e) => {
  const { pause } = require(`${__hooks}/lib/work/operate.js`)
  return e.json(200, pause($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "PAUSE_WORK")))
}, $apis.requireSuperuserAuth())

// Deletes old items that are not open.
routerAdd("POST", "/api/gateway/work/prune", (e) => {
  const { prune } = require(`${__hooks}/lib/work/retention.js`)
  return e.json(200, prune($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "PRUNE_WORK")))
}, $apis.requireSuperuserAuth())

// Adds items that rows still need, but that are gone: see lib/work/lost.js. Returns {events, deletions}.
routerAdd("POST", "/api/gateway/work/lost", (e) => {
  return e.json(200, require(`${__hooks}/lib/work/lost.js`).addLost($app))
}, $apis.requireSuperuserAuth())

// Returns {counts, paused}: see lib/work/operate.js.
routerAdd("GET", "/api/gateway/work/status", (e) => {
  return e.json(200, require(`${__hooks}/lib/work/operate.js`).describe($app))
}, $apis.requireSuperuserAuth())

onRecordDeleteRequest((e) => {
  require(`${__hooks}/lib/work/deletion.js`).refuseLoss(e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("work"))
