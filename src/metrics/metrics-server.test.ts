import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { assertNothingLeft, processCounts } from '../testing/resource-counts.ts'
import type { Metrics } from './metrics.ts'
import { serveMetrics } from './metrics-server.ts'

let hangs = false
let onHang = () => {}
const METRICS = {
  contentType: 'text/plain; version=0.0.4',
  render: async () => {
    if (hangs) {
      onHang()
      await new Promise(() => {})
    }
    return 'up 1\n'
  },
} as unknown as Metrics
const LATE = { signal: AbortSignal.timeout(20_000) }

test('a server of metrics that is closed gives back its port at once, also while clients are connected', async () => {
  const at = { host: '127.0.0.1', port: 0 }
  await assertNothingLeft(processCounts, async () => {
    const server = await serveMetrics(METRICS, at)
    const client = connect(server.port, at.host)
    client.on('error', () => undefined)
    client.write('GET /metrics HTTP/1.1\r\nhost: h\r\n\r\n')
    const [answer] = await once(client, 'data', LATE)
    assert.match(
      String(answer),
      /^HTTP\/1\.1 200 OK[\s\S]*\r\ncontent-type: text\/plain; version=0\.0\.4\r\n/i,
    )
    // The next request is being answered.
    hangs = true
    const asked = new Promise<void>((resolve) => {
      onHang = resolve
    })
    client.write('GET /metrics HTTP/1.1\r\nhost: h\r\n\r\n')
    await asked
    hangs = false
    const closed = new Promise((resolve) => void client.once('close', resolve))
    server.close()
    await closed
    const next = await serveMetrics(METRICS, { ...at, port: server.port })
    next.close()
  })
})

test('a server of metrics shows nothing else, and takes no other method', async (t) => {
  const server = await serveMetrics(METRICS, { host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  const ask = async (path: string, method: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, ...LATE })
    return `${answer.status} ${answer.headers.get('allow') ?? ''} ${await answer.text()}`.trim()
  }
  assert.equal(await ask('/metrics?a=b', 'GET'), '200  up 1')
  assert.equal(await ask('/', 'GET'), '404  This server has only /metrics.')
  assert.equal(await ask('/metrics', 'POST'), '405 GET, HEAD')
})
