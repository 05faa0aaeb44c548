// Sends one mail by PocketBase's own mail settings, so that the password never leaves PocketBase.
// Never call it inside a transaction: it would hold the single writer until the mail server answers.
// Why here: mails use PocketBase's SMTP settings, so that the password never leaves PocketBase.

function sendMail(app, { from, to, subject, text, html, headers }) {
  // Else PocketBase would hand it to a `sendmail` that nobody meant.
  if (!app.settings().smtp.enabled) {
    return { outcome: "later", reason: "PocketBase's SMTP settings are off" }
  }
  const message = new MailerMessage({
    from, to: [{ address: to }], subject, text, html, headers,
  })
  try {
    app.newMailClient().send(message)
    return { outcome: "sent", reason: "" }
  } catch (error) {
    return { outcome: judge(`${error}`), reason: `${error}` }
  }
}

// Whether the mail is certainly not sent, so that it may be tried again: the mail server could not be
// reached, or said 4xx. After 5xx another try is useless; after anything else it might be the second.
function judge(reason) {
  const said = reason.replace(/^GoError: /, "")
  if (/^dial |^4\d\d /.test(said)) return "later"
  return /^5\d\d /.test(said) ? "refused" : "unknown"
}

module.exports = { sendMail }
