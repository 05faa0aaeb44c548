// Runs a page's module with the document of jsdom, and then the steps of a test.
// Arguments: { page: file, url, steps: body of an async function }; prints what the steps return.

import { readFileSync, writeFileSync } from "node:fs"
import { pathToFileURL } from "node:url"
import { EventSource } from "eventsource"
import { JSDOM } from "jsdom"

const given = JSON.parse(process.argv[2])
const html = readFileSync(given.page, "utf8")
const stored = new Map()
const visited = []
let loads = 0
let closeRealtime = () => {}

const localStorage = {
  getItem: (name) => stored.get(name) ?? null,
  setItem: (name, value) => stored.set(name, value),
  removeItem: (name) => stored.delete(name),
}

/** Load the page as a browser does; a reload of the page loads it again. */
async function load(url) {
  closeRealtime()
  const { window } = new JSDOM(html, { url, pretendToBeVisual: true })
  Object.defineProperty(window, "localStorage", { value: localStorage })
  window.Element.prototype.scrollIntoView = () => {}
  const location = new URL(url)
  Object.defineProperty(location, "href", { get: () => url, set: (to) => visited.push(to) })
  location.reload = () => void load(url)
  const { document, DOMParser, FormData, HTMLFormElement, history } = window
  Object.assign(globalThis, { document, DOMParser, FormData, HTMLFormElement, history, location })
  Object.assign(globalThis, { window, localStorage })
  globalThis.EventSource = class extends EventSource {
    constructor(...of) {
      super(...of)
      closeRealtime = () => this.close()
    }
  }
  const script = document.querySelector("script[type=module]").textContent
  const vendor = new URL("vendor/", pathToFileURL(given.page))
  const module = script.replace('"./vendor/', `"${vendor}`)
  const file = `${given.folder}/module-${loads += 1}.mjs`
  writeFileSync(file, module)
  await import(pathToFileURL(file))
}

const at = (selector) => document.querySelector(selector)
const text = (selector) => at(selector)?.textContent.replace(/\s+/g, " ").trim() ?? ""

/** Wait until a condition holds; fails with the page's text after ten seconds. */
async function until(condition) {
  const end = Date.now() + 10_000
  for (;;) {
    const found = condition()
    if (found) return found
    if (Date.now() > end) throw new Error(`${condition} does not hold: ${text("#problem")} ${text("main")}`)
    await new Promise((resume) => setTimeout(resume, 20))
  }
}

/** Press the button with this text or label. */
async function press(label, within = "body") {
  const named = (each) => (each.getAttribute("aria-label") ?? each.textContent).trim() === label
  const button = await until(() => [...at(within).querySelectorAll("button")].find(named))
  button.click()
}

/** Fill in a form; a boolean is a check box. */
function fill(form, values) {
  for (const [name, value] of Object.entries(values)) {
    const input = at(form).elements[name]
    if (typeof value === "boolean") input.checked = value
    else input.value = value
  }
}

/** Sign up as a new user. */
async function signUp() {
  const email = `user-${crypto.randomUUID()}@example.com`
  fill("#sign-in", { email, password: "correct-horse" })
  await press("Sign up")
  await until(() => text("#my-id") && text("#allowance"))
  return email
}

const page = { load, visited, at, text, until, press, fill, signUp }
await load(given.url)
const run = new (async () => {}).constructor("page", `
  const { load, visited, at, text, until, press, fill, signUp } = page
  ${given.steps}`)
console.log(JSON.stringify((await run(page)) ?? null))
process.exit(0)
