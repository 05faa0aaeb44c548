/// <reference path="../pb_data/types.d.ts" />
// PocketBase's own account requests: sign-up, sign-in, verification, change of e-mail address or password.
// Why here: they run inside PocketBase's requests. Such a request loads a record, waits for a provider or for hooks,
// and would save all of its columns; here it saves what it changed, so that a ban that was set meanwhile stays.

// Transforms first: other hooks of a write may open a transaction, and the gateway is called before one.
require(`${__hooks}/lib/transforms/hooks.js`)

// Users can't choose their id: Stripe objects may still name a deleted user, and would become theirs.
onRecordCreateRequest((e) => {
  require(`${__hooks}/lib/requests/chosen_id.js`).refuseChosenId(e)
  e.next()
}, require(`${__hooks}/lib/names.js`).nameOf("users"))

// The caller of an endpoint: the record of any valid token, as its owner sees it. PocketBase's own auth-refresh would
// count towards its rate limits and issue a new token.
routerAdd("GET", "/api/gateway/caller", (e) => {
  e.auth.ignoreEmailVisibility(true)
  return e.json(200, { record: e.auth.publicExport() })
}, $apis.requireAuth())

onRecordConfirmVerificationRequest((e) => {
  e.record.ignoreUnchangedFields(true)
  e.next()
})

// The account's update transform runs before the mail is sent, and again on the stored record at the confirmation.
onRecordRequestEmailChangeRequest((e) => {
  require(`${__hooks}/lib/transforms/email.js`).transformEmail(e, e.newEmail)
  e.next()
})

onRecordConfirmEmailChangeRequest((e) => {
  e.record.ignoreUnchangedFields(true)
  e.newEmail = require(`${__hooks}/lib/transforms/email.js`).transformEmail(e, e.newEmail)
  e.next()
})

onRecordConfirmPasswordResetRequest((e) => {
  e.record.ignoreUnchangedFields(true)
  e.next()
})

onRecordAuthWithOAuth2Request((e) => {
  // A first sign-in has no record yet.
  if (e.record) e.record.ignoreUnchangedFields(true)
  if (e.record && !e.record.email() && e.oAuth2User.email) {
    require(`${__hooks}/lib/transforms/email.js`).transformEmail(e, e.oAuth2User.email)
  }
  e.next()
})

onRecordAuthWithOTPRequest((e) => {
  e.record.ignoreUnchangedFields(true)
  e.next()
})
