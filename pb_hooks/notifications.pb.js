/// <reference path="../pb_data/types.d.ts" />
// The route that sends a mail.
// Why here: mails use PocketBase's SMTP settings.

// Sends one mail: {from, to, subject, text, html, headers}.
routerAdd("POST", "/api/gateway/mail", (e) => {
  const { sendMail } = require(`${__hooks}/lib/notifications/mail.js`)
  const mail = require(`${__hooks}/lib/requests/schemas.js`).read(e, "MAIL")
  return e.json(200, sendMail($app, mail))
}, $apis.requireSuperuserAuth())
