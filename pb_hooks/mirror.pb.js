/// <reference path="../pb_data/types.d.ts" />
// Routes that write the mirror.
// Why here: an event, its rows and the entitlements that follow from them are one PocketBase transaction.

// Report a wrong setting at the start, not with the first webhook.
require(`${__hooks}/lib/hook_settings.js`).readPolicy()

// Stores a batch of Stripe events and the rows they change, in one transaction.
// Body: a JSON head, then the columns of each row, the object of each row and the payload of each event, separated by
// U+001E.
routerAdd("POST", "/api/gateway/commit", (e) => {
  // Cached per VM under a name that no other hook uses: resolving the modules takes longer than some of them run.
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
    // The reason is stored with the event; PocketBase's own answer would not contain it.
    throw new BadRequestError(`${error}`)
  }
  if (turn) return endPublishing(turn)
  if (!answer) throw new ApiError(503, "The hooks don't support the commit format of this gateway: deploy both of the same version.", {})
  return e.json(200, answer)
}, $apis.bodyLimit(require(`${__hooks}/lib/requests/limits.js`).MAX_BYTES), $apis.requireSuperuserAuth(),
  $apis.skipSuccessActivityLog())
