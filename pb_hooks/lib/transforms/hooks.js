// Registers the hooks of transforms. PocketBase loads hook files in random order, so every file with hooks of writes
// requires this one first. It is loaded once.
// Why here: only a hook can stop or change a direct write.

// The modules are cached per VM: resolving them takes longer than most of these writes need.
onRecordCreateRequest((e) => {
  const transforms = (globalThis.gatewayTransforms ||= require(`${__hooks}/lib/transforms/enforce.js`))
  transforms.enforce(e, "create")
})
onRecordUpdateRequest((e) => {
  const transforms = (globalThis.gatewayTransforms ||= require(`${__hooks}/lib/transforms/enforce.js`))
  transforms.enforce(e, "update")
})
onRecordDeleteRequest((e) => {
  const transforms = (globalThis.gatewayTransforms ||= require(`${__hooks}/lib/transforms/enforce.js`))
  transforms.enforce(e, "delete")
})

// Hooks of the model run after all hooks of the request.
onRecordUpdate((e) => {
  (globalThis.gatewayGuard ||= require(`${__hooks}/lib/transforms/guard.js`)).guard(e, "update")
})
onRecordDelete((e) => {
  (globalThis.gatewayGuard ||= require(`${__hooks}/lib/transforms/guard.js`)).guard(e, "delete")
})
