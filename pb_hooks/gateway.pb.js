/// <reference path="../pb_data/types.d.ts" />
// The routes that the gateway calls. What they do lies in lib/; handlers share no outer scope.

// Before any other hook of a request: they may open a transaction, and transforms are asked outside of it.
require(`${__hooks}/lib/transforms/hooks.js`)

// A wrong setting is told at the start, not by the first webhook.
require(`${__hooks}/lib/settings.js`).readPolicy()

// Which hooks and migrations are here: the gateway's /ready compares it with what it was built for.
routerAdd("GET", "/api/gateway/version", (e) => {
  const { readVersion } = require(`${__hooks}/lib/health/version.js`)
  return e.json(200, readVersion($app))
}, $apis.requireSuperuserAuth())

// Stores a group of Stripe events and the rows they change, in one transaction.
// Body: a JSON head, then each row's columns and each event's payload, parted by U+001E.
routerAdd("POST", "/api/gateway/commit", (e) => {
  // Each VM keeps the modules, by a name that no other hook takes: to find them takes longer than to use some.
  const { answerEarly, commit, endPublishing, isPassing, readBody, untilUnlocked } = (globalThis.gatewayCommit ||= {
    ...require(`${__hooks}/lib/mirror/commit.js`),
    ...require(`${__hooks}/lib/database/sql.js`),
    ...require(`${__hooks}/lib/mirror/commit_body.js`),
    ...require(`${__hooks}/lib/mirror/early_response.js`),
  })
  const [head, ...texts] = readBody(e).split("\x1e")
  let answer, turn
  const onCommit = (early) => { turn = answerEarly(e, early) }
  try {
    answer = untilUnlocked(() => commit($app, JSON.parse(head), texts, onCommit))
  } catch (error) {
    if (isPassing(error)) throw new ApiError(503, "The database can't be written right now.", {})
    // Else PocketBase would only say that something went wrong; the reason is kept with the event.
    throw new BadRequestError(`${error}`)
  }
  if (turn) return endPublishing(turn)
  if (!answer) throw new ApiError(503, "The gateway is of another version than these hooks.", {})
  return e.json(200, answer)
}, $apis.bodyLimit(require(`${__hooks}/lib/mirror/commit_body.js`).MOST_BYTES), $apis.requireSuperuserAuth())

// Does one part of what was too long for its transaction: {left}, whether there is more; or with {error}.
routerAdd("POST", "/api/gateway/follow-ups", (e) => {
  return e.json(200, require(`${__hooks}/lib/mirror/deferred_work.js`).doPart($app))
}, $apis.requireSuperuserAuth())

// Empties the payloads of events that are older than a time: {before, limit, dry_run}.
routerAdd("POST", "/api/gateway/prune", (e) => {
  const { prune } = require(`${__hooks}/lib/events/retention.js`)
  const asked = require(`${__hooks}/lib/requests/schemas.js`).read(e, "PRUNE")
  return e.json(200, prune($app, asked))
}, $apis.requireSuperuserAuth())

// Everything /checkout and /portal ask of PocketBase, in one call and with the user's own token.
routerAdd("POST", "/api/gateway/buyer", (e) => {
  const { readBuyer } = require(`${__hooks}/lib/customers/buyer.js`)
  const asked = require(`${__hooks}/lib/requests/schemas.js`).read(e, "BUYER")
  return e.json(200, readBuyer($app, e.auth, e.requestInfo(), asked))
}, $apis.bodyLimit(65536), $apis.requireAuth(require(`${__hooks}/lib/names.js`).nameOf("users")))

// The record of any valid token, with what its owner sees of it: who the caller of an endpoint is. PocketBase's own
// auth-refresh would count against its rate limits, and would make a new token.
routerAdd("GET", "/api/gateway/caller", (e) => {
  e.auth.ignoreEmailVisibility(true)
  return e.json(200, { record: e.auth.publicExport() })
}, $apis.requireAuth())

// Whom usage is reported for: {user or organization, meter}.
routerAdd("POST", "/api/gateway/metered", (e) => {
  const { readMetered } = require(`${__hooks}/lib/billing/usage.js`)
  const asked = require(`${__hooks}/lib/requests/schemas.js`).read(e, "METERED")
  return e.json(200, readMetered(e.app, asked))
}, $apis.bodyLimit(4096), $apis.requireSuperuserAuth())

// Nobody chooses their id: Stripe's objects may still name a user who is gone, and would be theirs.
onRecordCreateRequest((e) => {
  if (e.record.id && !e.hasSuperuserAuth()) {
    const problem = new ValidationError("validation_id_chosen", "The id can't be chosen.")
    throw new BadRequestError("Failed to create record.", { id: problem })
  }
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

// A user who has just proved an e-mail address gets the purchases that were made with it.
onRecordAfterCreateSuccess((e) => {
  const { claimByEmail } = require(`${__hooks}/lib/mirror/ownership.js`)
  claimByEmail(e.app, e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

onRecordAfterUpdateSuccess((e) => {
  const before = e.record.original()
  const proved = !before.verified() || before.email() !== e.record.email()
  if (proved) require(`${__hooks}/lib/mirror/ownership.js`).claimByEmail(e.app, e.record)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

// The gateway's table of transforms: which direct writes it is to be asked about. It comes every few seconds.
routerAdd("POST", "/api/gateway/transforms", (e) => {
  const { register } = require(`${__hooks}/lib/transforms/registration.js`)
  const body = readerToString(e.request.body, 1048576)
  return e.json(200, register($app, e.auth, e.request.header, body))
}, $apis.bodyLimit(1048576), $apis.requireSuperuserAuth(), $apis.skipSuccessActivityLog())

// Leave to send one write that is rolled back in the end.
routerAdd("POST", "/api/gateway/dry-run", (e) => {
  const { issueToken } = require(`${__hooks}/lib/transforms/dry_run.js`)
  return e.json(200, issueToken($app))
}, $apis.requireSuperuserAuth())

onBatchRequest((e) => {
  require(`${__hooks}/lib/transforms/batch.js`).prepareBatch(e)
  e.next()
})

onRecordAuthWithOAuth2Request((e) => {
  require(`${__hooks}/lib/transforms/sign_up.js`).prepareSignUp(e)
  e.next()
})

// What is at hand of the table is read anew after every change of it or of a collection.
onRecordAfterCreateSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).forget()
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("transforms"))
onRecordAfterUpdateSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).forget()
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("transforms"))
onRecordAfterDeleteSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).forget()
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("transforms"))
onCollectionAfterCreateSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).adopt($app, e.collection)
  e.next()
})
onCollectionAfterUpdateSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).forget()
  e.next()
})
onCollectionAfterDeleteSuccess((e) => {
  require(`${__hooks}/lib/transforms/table.js`).forget()
  e.next()
})
