/** A watch in a browser: the `EventSource` of Chromium. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { within } from '../cluster/waiting.ts'
import { listen } from './raw-http.ts'
import { testApp } from './test-app.ts'

/** The limit of each step, on a machine that is busy with others. */
const STEP_MS = 60_000

function aGroup(groupId: string) {
  const at = '2026-01-01T00:00:00.000Z'
  return { groupId, version: 1, incarnation: 'i', createdAt: at, updatedAt: at }
}

/** Tells `/seen` each event. */
const pageOf = (url: string) => `<!doctype html><script>
  const source = new EventSource(${JSON.stringify(url)})
  for (const kind of ['group', 'group-deleted', 'synced', 'reset'])
    source.addEventListener(kind, ({ data }) => {
      const { group, groupId = '' } = JSON.parse(data)
      fetch('/seen', { method: 'POST', body: (kind + ' ' + (group ? group.groupId : groupId)).trim() })
    })
</script>`

const hasBrowser = (process.env.PATH ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'chromium')))

test('the EventSource of a browser goes on with its place when its connection is cut', {
  skip: hasBrowser ? false : 'chromium is missing: apt-get install chromium',
}, async (t) => {
  const { app, changes } = testApp({ corsOrigins: ['*'] })
  const { host, port } = await listen(app, t)
  const seen: string[] = []
  let wake = () => {}
  const pages = createServer((request, reply) => {
    if (request.method !== 'POST') {
      reply.setHeader('content-type', 'text/html')
      reply.end(pageOf(`http://${host}:${port}/v1/watch?initial=true`))
      return
    }
    let body = ''
    request.on('data', (bytes) => {
      body += bytes
    })
    request.on('end', () => {
      seen.push(body)
      wake()
      reply.end()
    })
  })
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    pages.closeAllConnections()
    pages.close()
  })
  const has = async (count: number) => {
    while (seen.length < count)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  const profile = await mkdtemp(join(tmpdir(), 'cohort-browser-'))
  const url = `http://127.0.0.1:${(pages.address() as AddressInfo).port}/`
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`]
  const browser = spawn('chromium', [...flags, '--remote-debugging-port=0', url], { stdio: 'ignore' })
  const ended = new Promise((resolve, reject) => {
    browser.once('exit', resolve)
    browser.once('error', () => reject(new Error('chromium does not start: apt-get install chromium')))
  })
  t.after(async () => {
    browser.kill()
    await ended
    await rm(profile, { recursive: true, force: true, maxRetries: 10 })
  })
  await within(STEP_MS, Promise.race([has(1), ended]), 'the list has come')
  changes.change(aGroup('a'))
  await within(STEP_MS, has(2), 'the first change has come')
  const { promise: reconnected, resolve } = Promise.withResolvers<string | undefined>()
  app.server.once('request', ({ headers }) => resolve(headers['last-event-id'] as string | undefined))
  app.server.closeAllConnections()
  changes.change(aGroup('b'))
  assert.equal(await within(STEP_MS, reconnected, 'the browser connects again'), '1')
  await within(STEP_MS, has(3), 'what has changed meanwhile has come')
  changes.change('a')
  await within(STEP_MS, has(4), 'the last change has come')
  assert.deepEqual(seen, ['synced', 'group a', 'group b', 'group-deleted a'])
})
