/** What `GET /metrics` of a connector and of a node export, and that docs/observability.md says so. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { pino } from 'pino'
import { CLUSTER_EXAMPLE } from '../../src/api/status-examples.ts'
import { addChangesMetrics } from '../../src/changes/changes-metrics.ts'
import { openAudit } from '../../src/connector/open-audit.ts'
import { addEngineMetrics } from '../../src/engines/cohort/engine-metrics.ts'
import { addPostgresMetrics } from '../../src/engines/postgres/postgres-metrics.ts'
import { Admission } from '../../src/http/admission/admission.ts'
import { countRequests, RequestCounts } from '../../src/http/count-requests.ts'
import { addRequestMetrics } from '../../src/http/request-metrics.ts'
import { Watches } from '../../src/http/v1/watch/watches.ts'
import { addLogMetrics } from '../../src/metrics/log-metrics.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { NodeCounters } from '../../src/node/counters.ts'
import { Damages } from '../../src/node/damages.ts'
import { addNodeMetrics } from '../../src/node/node-metrics.ts'
import { systemClock } from '../../src/process/clock.ts'
import { Counters } from '../../src/replication/counters.ts'
import { Divergences } from '../../src/replication/divergence.ts'
import { RoundTripTimes } from '../../src/replication/links/round-trip-times.ts'
import { addCertificateMetrics } from '../../src/tls/certificate-metrics.ts'
import { RepairFigures } from '../../src/upkeep/repair/repair-report.ts'
import { MemoryRegistry } from './memory-registry.ts'
import { exchange, listen, send } from './raw-http.ts'
import { ScriptedChanges } from './scripted-changes.ts'
import { testApp } from './test-app.ts'

/** `hasApp`: the app adds the metrics of its watches by itself. */
function connectorMetrics({
  hasApp = false,
} = {}): Readonly<{ metrics: Metrics; requestCounts: RequestCounts }> {
  const metrics = new Metrics()
  const requestCounts = new RequestCounts()
  addRequestMetrics(metrics, requestCounts)
  const logger = pino({ level: 'silent' })
  new Admission({ timeoutMs: 3_000, clock: systemClock, logger }).addMetrics(metrics)
  openAudit(undefined, { logger, metrics, now: () => new Date() })
  addLogMetrics(metrics, { droppedCount: () => 2 })
  addCertificateMetrics(metrics, [])
  if (!hasApp) new Watches(new ScriptedChanges(), new MemoryRegistry()).addMetrics(metrics)
  addChangesMetrics(metrics, () => ({
    isFollowing: true,
    isCovered: true,
    lagMs: 300,
    changeCount: 2,
    lostCount: 1,
  }))
  addEngineMetrics(metrics, {
    counters: new Counters(),
    snapshot: () => ({
      kind: 'found',
      clusterId: 'c',
      epoch: 3,
      quorum: 1,
      isQuorumReachable: true,
      change: undefined,
      loss: undefined,
      replacement: undefined,
      members: [
        {
          nodeId: 'n1',
          address: 'n1:8001',
          role: 'voting',
          progress: undefined,
          link: { isReachable: true, isSuspect: false, roundTrips: new RoundTripTimes(), send: () => false },
        },
      ],
    }),
    status: { describe: () => CLUSTER_EXAMPLE },
    divergences: new Divergences(pino({ level: 'silent' })),
    repair: new RepairFigures(),
    memberSweep: () => ({ sweptCount: 6, waitingCount: 7 }),
    changes: () => ({ readCount: 3 }),
    removal: () => ({
      stubbedCount: 4,
      removedCount: 3,
      settledCount: 1,
      waitingCount: 2,
      oldestWaitingMs: 1_500,
    }),
    healing: () => ({ healedCount: 5, waitingCount: 1 }),
  })
  return { metrics, requestCounts }
}

function nodeMetrics(): Metrics {
  const metrics = new Metrics()
  const counts = { recordCount: 9, tombstoneCount: 2, stubCount: 1 }
  addNodeMetrics(metrics, {
    connections: { count: 2, refusedCount: 1 },
    counters: new NodeCounters(),
    damages: new Damages(),
    pages: { isDamaged: false },
    store: {
      inventory: { counts } as never,
      membership: { clusterId: 'c', epoch: 3, members: [], tombstoneGraceMs: 3_600_000 },
    },
    dataDir: '/nowhere',
  })
  addLogMetrics(metrics, { droppedCount: () => 2 })
  addCertificateMetrics(metrics, [])
  return metrics
}

function postgresMetrics(): Metrics {
  const metrics = new Metrics()
  addPostgresMetrics(metrics, {
    sessions: { count: 0, brokenCount: 0 },
    store: { resolved: { applied: 0, not_applied: 0, unknown: 0 } },
    sweep: { removedCount: 0 },
    changes: {
      report: {
        isFollowing: false,
        isCovered: false,
        lagMs: undefined,
        changeCount: 0,
        lostCount: 0,
      },
    },
    durability: { view: undefined, whyNoWrites: () => undefined },
    status: { describe: () => CLUSTER_EXAMPLE },
  })
  return metrics
}

test('docs/observability.md has every metric with its type and labels, and no other', async () => {
  const text = await readFile(new URL('../../docs/observability.md', import.meta.url), 'utf8')
  for (const [title, metrics] of [
    ['Of a connector', connectorMetrics().metrics],
    ['Of a connector with the engine postgres', postgresMetrics()],
    ['Of a node', nodeMetrics()],
  ] as const) {
    const section = text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
    const documented = [...section.matchAll(/^\| `(cohort_\w+)` \| (\w+) \| (.*?) \|/gm)].map(
      ([, name, type, labels]) => [name, type, [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label)],
    )
    const exported = metrics.described.map(({ name, type, labels }) => [name, type, labels])
    assert.deepEqual(documented.sort(), exported.sort(), title)
  }
})

test('every documented metric is exported, with HELP and TYPE, and every name begins with cohort_', async () => {
  for (const metrics of [connectorMetrics().metrics, nodeMetrics()]) {
    const text = await metrics.render()
    for (const { name, type, labels } of metrics.described) {
      assert.match(name, /^cohort_[a-z_]+$/)
      assert.match(text, new RegExp(`^# HELP ${name} \\S`, 'm'))
      assert.match(text, new RegExp(`^# TYPE ${name} ${type}$`, 'm'))
      assert.equal(name.endsWith('_total'), type === 'counter', name)
      for (const label of labels) assert.match(label, /^[a-z]+$/)
    }
  }
})

test('requests are counted by route and status, and none is left in flight', async () => {
  const { metrics, requestCounts } = connectorMetrics({ hasApp: true })
  const { app } = testApp({ metrics, requestCounts })
  const payload = { groupId: 'g' }
  await app.inject({ method: 'POST', url: '/v1/group', payload })
  await app.inject({ method: 'POST', url: '/v1/group', payload })
  await app.inject({ method: 'POST', url: '/v1/group', payload: {} })
  await app.inject('/v1/group/g')
  await app.inject({ method: 'HEAD', url: '/v1/group/g' })
  await app.inject('/v1/group/h')
  await app.inject('/nowhere')
  await app.inject({ method: 'POST', url: '/livez' })
  const { body, headers } = await app.inject('/metrics')
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/)
  const counted = [...body.matchAll(/^cohort_http_requests_total\{(.*)\} (\d+)$/gm)].map(
    ([, labels, count]) => `${labels!.replaceAll(/\w+=|"/g, '').replaceAll(',', ' ')}: ${count}`,
  )
  assert.deepEqual(counted.sort(), [
    ' none 404: 1',
    ' none 405: 1',
    'GET /v1/group/{groupId} 200: 1',
    'GET /v1/group/{groupId} 404: 1',
    'HEAD /v1/group/{groupId} 200: 1',
    'POST /v1/group 201: 1',
    'POST /v1/group 400: 1',
    'POST /v1/group 409: 1',
  ])
  assert.match(body, /^cohort_http_request_duration_seconds_count\{method="POST",route="\/v1\/group"\} 3$/m)
  // This one.
  assert.match(body, /^cohort_http_requests_in_flight 1$/m)
  assert.equal(requestCounts.inFlight, 0)
})

test('the time of a request is counted in seconds', async (context) => {
  const counts = new RequestCounts()
  let nowMs = 1_000
  const app = fastify()
  context.after(() => app.close())
  countRequests(app, counts, () => nowMs)
  app.get('/slow', async () => {
    nowMs += 250
    return {}
  })
  await app.inject('/slow')
  assert.equal(counts.routes.find(({ method }) => method === 'GET')?.seconds.sum, 0.25)
})

test('what is no HTTP, no method or no route is counted too, and preconditions count with their status', async (context) => {
  const requestCounts = new RequestCounts()
  const { app } = testApp({ requestCounts })
  const door = await listen(app, context)
  await exchange(door, 'nonsense\r\n\r\n')
  await exchange(door, 'NONESUCH / HTTP/1.1\r\nhost: x\r\n\r\n')
  await send(door, 'CONNECT', 'x:1')
  await send(door, 'GET', '/nowhere')
  await exchange(door, 'GET /livez HTTP/1.1\r\nhost: x\r\nhost: y\r\nconnection: close\r\n\r\n')
  await exchange(door, 'GET /livez HTTP/1.1\r\nhost: x\r\nif-none-match: *\r\nconnection: close\r\n\r\n')
  assert.deepEqual([...requestCounts.unrouted.statuses].sort(), [
    [400, 2],
    [404, 1],
    [501, 2],
  ])
  const live = requestCounts.routes.find(({ method, route }) => method === 'GET' && route === '/livez')
  assert.deepEqual([...live!.statuses], [[304, 1]])
  assert.equal(requestCounts.inFlight, 0)
})

test('a request whose answer cannot be sent is counted once, with the answer that took its place', async () => {
  const { requestCounts } = connectorMetrics()
  const { app } = testApp({ requestCounts })
  // Node refuses a header with a line feed when the answer is about to leave.
  app.get('/v1/docs/odd', async (_request, reply) => reply.header('x-odd', 'a\nb').send('odd'))
  assert.equal((await app.inject('/v1/docs/odd')).statusCode, 500)
  const odd = requestCounts.routes.filter(({ route }) => route === '/v1/docs/odd')
  const answers = odd.flatMap(({ statuses }) => [...statuses.values()]).reduce((sum, count) => sum + count, 0)
  assert.deepEqual([answers, requestCounts.inFlight], [1, 0])
  assert.equal(
    odd.reduce((sum, { seconds }) => sum + seconds.count, 0),
    1,
  )
})

test('a client that goes away in the middle of its request is not in flight for ever', async () => {
  const { requestCounts } = connectorMetrics()
  const { app } = testApp({ requestCounts })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.write(
    'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  )
  const until = async (inFlight: number) => {
    for (let turn = 0; requestCounts.inFlight !== inFlight; turn += 1) {
      assert.ok(turn < 100_000, `${requestCounts.inFlight} in flight`)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await until(1)
  socket.destroy()
  await until(0)
  await app.close()
})
