import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { assertNothingLeft, processCounts } from '../testing/resource-counts.ts'
import { BucketCounts } from './bucket-counts.ts'
import { Metrics } from './metrics.ts'
import { serveMetrics } from './metrics-server.ts'

test('values are read when they are asked for, and rendered as Prometheus reads them', async () => {
  const metrics = new Metrics()
  let count = 1
  const seconds = new BucketCounts([0.1, 1])
  seconds.observe(0.05)
  seconds.observe(3)
  metrics.counter({ name: 'c_total', help: 'A counter.', labels: ['kind'] }, () => [
    { value: count, labels: { kind: 'a"b\n' } },
  ])
  metrics.gauge({ name: 'g', help: 'A gauge.' }, async () => [{ value: -1.5 }])
  metrics.histogram({ name: 'h', help: 'A histogram.', labels: ['route'] }, () => [
    { counts: seconds, labels: { route: '/x' } },
  ])
  const first = await metrics.render()
  assert.match(first, /^# TYPE c_total counter\nc_total\{kind="a\\"b\\n"\} 1$/m)
  assert.match(first, /^# TYPE g gauge\ng -1.5$/m)
  assert.ok(
    first.includes(
      [
        '# TYPE h histogram',
        'h_bucket{route="/x",le="0.1"} 1',
        'h_bucket{route="/x",le="1"} 1',
        'h_bucket{route="/x",le="+Inf"} 2',
        'h_sum{route="/x"} 3.05',
        'h_count{route="/x"} 2',
      ].join('\n'),
    ),
    first,
  )
  count = 5
  assert.match(await metrics.render(), /^c_total\{.*\} 5$/m)
})

test('a series that is no longer read is gone', async () => {
  const metrics = new Metrics()
  let nodes = ['n1', 'n2']
  metrics.gauge({ name: 'g', help: 'A gauge.', labels: ['node'] }, () =>
    nodes.map((node) => ({ value: 1, labels: { node } })),
  )
  assert.match(await metrics.render(), /node="n1"/)
  nodes = ['n2']
  assert.doesNotMatch(await metrics.render(), /node="n1"/)
})

test('the process itself is shown too', async () => {
  const text = await new Metrics().render()
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_seconds',
  ]) {
    assert.match(text, new RegExp(`^${name}\\b`, 'm'))
  }
})

test('the server shows metrics and nothing else, and refuses a port that is taken in a sentence', async () => {
  const metrics = new Metrics()
  metrics.gauge({ name: 'g', help: 'A gauge.' }, () => [{ value: 7 }])
  const { port, close } = await serveMetrics(metrics, { host: '127.0.0.1', port: 0 })
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics?x=1`)
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.match(await answer.text(), /^g 7$/m)
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404)
    assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status, 405)
    await assert.rejects(serveMetrics(metrics, { host: '127.0.0.1', port }), { code: 'address_in_use' })
  } finally {
    close()
  }
})

test('a server that is closed ends the connections of its readers, idle or in the middle of a request', async () => {
  await assertNothingLeft(processCounts, async () => {
    const metrics = new Metrics()
    let isHanging = false
    // As the size of a file is on a disk that hangs.
    metrics.gauge({ name: 'g', help: 'A gauge.' }, () => (isHanging ? new Promise(() => undefined) : []))
    const { port, close } = await serveMetrics(metrics, { host: '127.0.0.1', port: 0 })
    const sockets = [1, 2, 3, 4].map(() => connect(port, '127.0.0.1'))
    const [idle, reading, half, waiting] = sockets as [Socket, Socket, Socket, Socket]
    for (const socket of sockets) {
      socket.on('error', () => undefined)
      await once(socket, 'connect', { signal: AbortSignal.timeout(5_000) })
    }
    // A scraper keeps its connection between two looks.
    reading.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(reading, 'data', { signal: AbortSignal.timeout(5_000) })
    half.write('GET /metr')
    isHanging = true
    waiting.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
    // Its request has come when the answer to a later one is there.
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404)
    const ended = sockets.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve)))
    const startMs = performance.now()
    close()
    await Promise.all(ended)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs < 1_000, `${tookMs} ms`)
    assert.ok(idle.destroyed)
  })
})
