/// <reference path="../pb_data/types.d.ts" />
// The gateway's collections stay: neither the dashboard nor an import deletes them. Migrations may.

onCollectionDeleteRequest((e) => {
  require(`${__hooks}/lib/own_collections.js`).refuseDeletion(e.collection)
  e.next()
})

onCollectionsImportRequest((e) => {
  if (e.deleteMissing) require(`${__hooks}/lib/own_collections.js`).refuseLoss(e.app, [...e.collectionsData])
  e.next()
})
