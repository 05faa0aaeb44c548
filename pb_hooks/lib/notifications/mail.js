// Sends one mail. gateway/notifications/smtp_outcome.py decides whether a failed one may be sent again.
// Why here: mails use PocketBase's SMTP settings, so that the password never leaves PocketBase.
// Never call it inside a transaction: it would hold the single writer until the mail server answers.

// Returns {status, reason}: sent; disabled, without a mail server; or failed, with the error.
function sendMail(app, { from, to, subject, text, html, headers }) {
  // Otherwise PocketBase would use a local `sendmail`.
  if (!app.settings().smtp.enabled) return { status: "disabled", reason: "PocketBase's SMTP settings are off" }
  const message = new MailerMessage({
    from, to: [{ address: to }], subject, text, html, headers,
  })
  try {
    app.newMailClient().send(message)
    return { status: "sent", reason: "" }
  } catch (error) {
    return { status: "failed", reason: `${error}` }
  }
}

module.exports = { sendMail }
