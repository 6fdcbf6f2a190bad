import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { askService } from './ask-service.ts'

test('a service that does not answer, or not to the end, is waited for no longer than two seconds', async (t) => {
  let timedOut = new AbortController()
  const timeout = t.mock.method(AbortSignal, 'timeout', () => timedOut.signal)
  const service = createServer(({ url }, response) => {
    if (url === '/whole') response.end('all of it')
    else if (url === '/stalled') response.write('the beginning')
  })
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  t.after(() => {
    service.close()
    service.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
  const ask = (path: string) => askService(`${url}${path}`, { ca: undefined })
  assert.deepEqual(await ask('/whole'), { status: 200, body: 'all of it' })
  timeout.mock.resetCalls()
  for (const path of ['/silent', '/stalled']) {
    const began = once(service, 'request')
    const answer = ask(path)
    await began
    assert.deepEqual(timeout.mock.calls.at(-1)?.arguments, [2_000])
    timedOut.abort()
    assert.equal(await answer, undefined, path)
    timedOut = new AbortController()
    timeout.mock.resetCalls()
  }
  service.close()
  await once(service, 'close')
  assert.equal(await ask('/gone'), undefined, 'nothing listens')
})
