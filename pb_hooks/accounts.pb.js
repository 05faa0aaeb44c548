/// <reference path="../pb_data/types.d.ts" />
// PocketBase's own account requests (sign-in, verification, change of e-mail or password) load a record, wait for
// a provider or for hooks, and save all of its columns. They save what they change: a ban of the meantime stays.

onRecordConfirmVerificationRequest((e) => {
  e.record.ignoreUnchangedFields(true)
  e.next()
})

// A transform of the account's updates is asked before the mail is sent, and again by what is stored then.
onRecordRequestEmailChangeRequest((e) => {
  require(`${__hooks}/lib/transforms/email.js`).judgeEmail(e, e.newEmail)
  e.next()
})

onRecordConfirmEmailChangeRequest((e) => {
  e.record.ignoreUnchangedFields(true)
  e.newEmail = require(`${__hooks}/lib/transforms/email.js`).judgeEmail(e, e.newEmail)
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
    require(`${__hooks}/lib/transforms/email.js`).judgeEmail(e, e.oAuth2User.email)
  }
  e.next()
})

onRecordAuthWithOTPRequest((e) => {
  e.record.ignoreUnchangedFields(true)
  e.next()
})
