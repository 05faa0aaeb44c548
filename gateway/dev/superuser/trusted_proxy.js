// Stores the headers of POCKETBASE_TRUSTED_PROXY_HEADERS (comma-separated) in the settings; without the variable it
// leaves them alone.
function trustProxy(app) {
  const headers = $os.getenv("POCKETBASE_TRUSTED_PROXY_HEADERS").split(",").map((name) => name.trim()).filter(Boolean)
  const settings = app.settings()
  if (headers.length === 0 || `${settings.trustedProxy.headers}` === `${headers}`) return
  settings.trustedProxy.headers = headers
  app.save(settings)
}

module.exports = { trustProxy }
