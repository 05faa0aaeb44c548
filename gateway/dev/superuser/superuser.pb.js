// Adds the command `pocketbase ensure-superuser`, for use with --hooksDir on this folder.
// PocketBase's own `superuser upsert` takes the password as an argument, where `ps` shows it, and
// replaces a password without asking. This one reads the environment and replaces only on request.
// It also names the proxy headers of POCKETBASE_TRUSTED_PROXY_HEADERS in PocketBase's settings, so
// that PocketBase counts requests by the browser's address.
// Exit codes: 0 good, 3 another password is set, 4 refused (the last line has the reason).
$app.rootCmd.addCommand(new Command({
  use: "ensure-superuser",
  run: () => {
    require(`${__hooks}/trusted_proxy.js`).trustProxy($app)
    const email = $os.getenv("POCKETBASE_SUPERUSER_EMAIL")
    const password = $os.getenv("POCKETBASE_SUPERUSER_PASSWORD")
    const replace = $os.getenv("POCKETBASE_SUPERUSER_REPLACE") === "yes"
    let superuser
    try {
      superuser = $app.findAuthRecordByEmail("_superusers", email)
    } catch (_) {
      superuser = new Record($app.findCollectionByNameOrId("_superusers"), { email })
    }
    if (!superuser.isNew() && superuser.validatePassword(password)) return
    if (!superuser.isNew() && !replace) $os.exit(3)
    superuser.set("password", password)
    try {
      $app.save(superuser)
    } catch (error) {
      console.log(String(error).replace("GoError: ", ""))
      $os.exit(4)
    }
  },
}))
