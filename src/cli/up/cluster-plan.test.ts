import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readUpSettings } from '../../config/settings.ts'
import { planCluster } from './cluster-plan.ts'

const NOWHERE = { variables: {}, dotEnv: {} }

test('three nodes and a connector take four consecutive ports, the connector the first', () => {
  const plan = planCluster(readUpSettings({ dataDir: '/d', logLevel: 'warn', timeout: '1.5' }, NOWHERE))
  assert.deepEqual(
    plan.map(({ name, port, args }) => [name, port, args.join(' ')]),
    [
      [
        'node1',
        8001,
        'node --stop-with-parent --port=8001 --host=127.0.0.1 --metrics-port=8004 --data-dir=/d/node1 --scrub-period=86400 --cluster-id= --max-connections=1024 --log-level=warn --node-tls-cert-file= --node-tls-key-file= --node-tls-ca-file=',
      ],
      [
        'node2',
        8002,
        'node --stop-with-parent --port=8002 --host=127.0.0.1 --metrics-port=8005 --data-dir=/d/node2 --scrub-period=86400 --cluster-id= --max-connections=1024 --log-level=warn --node-tls-cert-file= --node-tls-key-file= --node-tls-ca-file=',
      ],
      [
        'node3',
        8003,
        'node --stop-with-parent --port=8003 --host=127.0.0.1 --metrics-port=8006 --data-dir=/d/node3 --scrub-period=86400 --cluster-id= --max-connections=1024 --log-level=warn --node-tls-cert-file= --node-tls-key-file= --node-tls-ca-file=',
      ],
      [
        'connector',
        8000,
        'connector --stop-with-parent --port=8000 --host=127.0.0.1 ' +
          '--engine=cohort --hosts=127.0.0.1:8001,127.0.0.1:8002,127.0.0.1:8003 --timeout=1.5 --tombstone-grace=3600 --drain-timeout=10 --replace-after=60 --cluster-id= --log-level=warn ' +
          '--max-connections=16384 --rate-limit= --cors-origins= --audit-log= --admin-key-file= --oidc-issuer= --client-roles-file= ' +
          '--node-tls-cert-file= --node-tls-key-file= --node-tls-ca-file= --tls-cert-file= --tls-key-file= --tls-client-ca-file=',
      ],
    ],
  )
})

test('with --tls every service gets the files of its own name, and the connectors answer by HTTPS', () => {
  const plan = planCluster(readUpSettings({ dataDir: '/d', tls: true }, NOWHERE))
  const [node, , , connector] = plan
  const filesOf = (args: readonly string[]) => args.filter((arg) => arg.includes('tls-'))
  assert.deepEqual(filesOf(node!.args), [
    '--node-tls-cert-file=/d/certificates/nodes/node1/tls.crt',
    '--node-tls-key-file=/d/certificates/nodes/node1/tls.key',
    '--node-tls-ca-file=/d/certificates/nodes/node1/ca.crt',
  ])
  assert.deepEqual(filesOf(connector!.args), [
    '--node-tls-cert-file=/d/certificates/connectors/connector/tls.crt',
    '--node-tls-key-file=/d/certificates/connectors/connector/tls.key',
    '--node-tls-ca-file=/d/certificates/connectors/connector/ca.crt',
    '--tls-cert-file=/d/certificates/connectors/connector/api.crt',
    '--tls-key-file=/d/certificates/connectors/connector/api.key',
    '--tls-client-ca-file=',
  ])
  assert.deepEqual([node!.scheme, connector!.scheme], ['http', 'https'])
})

test('further connectors come after the nodes', () => {
  const plan = planCluster(readUpSettings({ nodes: '5', connectors: '3', port: '9000' }, NOWHERE))
  const connectors = plan.filter(({ kind }) => kind === 'connector')
  assert.deepEqual(
    connectors.map(({ name, port }) => [name, port]),
    [
      ['connector1', 9000],
      ['connector2', 9006],
      ['connector3', 9007],
    ],
  )
})

test('in every cluster, all ports are valid and all names and ports differ', () => {
  const flags = fc.record({
    nodes: fc.constantFrom('1', '3', '4', '5', '6', '7'),
    connectors: fc.integer({ min: 1, max: 16 }).map(String),
    port: fc.integer({ min: 1, max: 65_505 }).map(String),
  })
  fc.assert(
    fc.property(flags, (some) => {
      const plan = planCluster(readUpSettings(some, NOWHERE))
      assert.equal(plan.length, Number(some.nodes) + Number(some.connectors))
      const ports = plan.flatMap(({ port, metricsPort = [] }) => [port, metricsPort].flat())
      assert.equal(ports.length, plan.length + Number(some.nodes))
      assert.equal(new Set(ports).size, ports.length)
      assert.equal(new Set(plan.map(({ name }) => name)).size, plan.length)
      assert.ok(ports.every((port) => port >= 1 && port <= 65_535))
    }),
  )
})
