import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../testing/text-arbitraries.ts'
import type { Environment } from './environment.ts'
import type { Flags } from './lookup.ts'
import { SettingError } from './setting-error.ts'
import {
  readConnectorSettings,
  readCount,
  readHostsFlag,
  readNodeSettings,
  readUpSettings,
  readUrl,
} from './settings.ts'

type Variables = Environment['variables']

function environment(variables: Variables = {}, dotEnv: Variables = {}): Environment {
  return { variables, dotEnv }
}

/** The sentence of the refusal. */
function refusal(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    assert.ok(error instanceof SettingError, String(error))
    assert.ok(!error.message.includes('\n'), 'one sentence, one line')
    return error.message
  }
  return assert.fail('it was not refused')
}

const HOSTS = 'a:1,b:1,c:1'

test('a flag wins over the environment, and the environment over .env', () => {
  const inAll = environment({ PORT: '2', DATA_DIR: '/e' }, { PORT: '3', DATA_DIR: '/f', HOST: '127.0.0.2' })
  assert.deepEqual(readNodeSettings({ port: '1' }, inAll), {
    host: '127.0.0.2',
    port: 1,
    metricsPort: undefined,
    dataDir: '/e',
    scrubPeriodMs: 86_400_000,
    maxConnections: 1_024,
    clusterId: undefined,
    tls: undefined,
    logLevel: 'info',
  })
  assert.equal(readNodeSettings({}, inAll).port, 2)
  assert.equal(readNodeSettings({ dataDir: '/g' }, environment({}, { PORT: '3' })).port, 3)
  assert.equal(readNodeSettings({ dataDir: '/g' }, environment()).port, 8001)
})

test('a node reads all its records within a day, or within the time that it is told', () => {
  const read = (scrubPeriod: string) =>
    readNodeSettings({ dataDir: '/d', scrubPeriod }, environment()).scrubPeriodMs
  assert.deepEqual([read('1'), read('500.5')], [1_000, 500_500])
  assert.match(
    refusal(() => read('0')),
    /^--scrub-period must be a number of seconds from 1 to 2678400, got "0"$/,
  )
})

test('a node serves metrics only at the address that is set', () => {
  const read = (metricsPort: string, port = '8001') =>
    readNodeSettings({ dataDir: '/d', port }, environment({ METRICS_PORT: metricsPort })).metricsPort
  assert.deepEqual([read(''), read('0'), read('9101')], [undefined, 0, 9101])
  assert.match(
    refusal(() => read('65536')),
    /^METRICS_PORT \(from the environment\) must be a whole number/,
  )
  assert.match(
    refusal(() => read('8001')),
    /must be a different port from PORT \(8001\), got "8001"$/,
  )
  assert.equal(read('0', '0'), 0)
})

test('the precedence holds for every setting and every place it is set in', () => {
  const port = fc.option(fc.integer({ min: 0, max: 65_535 }).map(String), { nil: undefined })
  const variable = fc.oneof(port, fc.constant(''))
  fc.assert(
    fc.property(port, variable, variable, (inFlag, inEnvironment, inDotEnv) => {
      const settings = readConnectorSettings(
        { port: inFlag, hosts: HOSTS },
        environment({ PORT: inEnvironment }, { PORT: inDotEnv }),
      )
      // An empty variable counts as not set; compose files pass those on.
      assert.equal(settings.port, Number(inFlag ?? (inEnvironment || inDotEnv || '8000')))
    }),
  )
})

test('settings are frozen, down to the hosts', () => {
  const settings = readConnectorSettings({ hosts: HOSTS }, environment())
  assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.hosts))
  assert.ok(Object.isFrozen(readNodeSettings({ dataDir: 'd' }, environment())))
  assert.ok(Object.isFrozen(readUpSettings({}, environment())))
})

test('every setting has a default, except the data directory and the hosts', () => {
  assert.deepEqual(readConnectorSettings({ hosts: HOSTS }, environment()), {
    host: '127.0.0.1',
    port: 8000,
    access: { adminKeyFile: undefined, oidc: undefined, clientRolesFile: undefined },
    isInsecure: false,
    hosts: ['a:1', 'b:1', 'c:1'],
    timeoutMs: 3_000,
    tombstoneGraceMs: 3_600_000,
    drainTimeoutMs: 10_000,
    postgres: undefined,
    replaceAfterMs: 60_000,
    clusterId: undefined,
    nodeTls: undefined,
    apiTls: undefined,
    logLevel: 'info',
    limits: { maxConnections: 16_384, ratePerSecond: undefined, corsOrigins: [], auditLog: undefined },
  })
  assert.deepEqual(readUpSettings({}, environment()), {
    host: '127.0.0.1',
    port: 8000,
    postgres: undefined,
    adminKeyFile: undefined,
    isInsecure: false,
    isEncrypted: false,
    nodeCount: 3,
    connectorCount: 1,
    dataDir: resolve('.cohort'),
    timeoutMs: 3_000,
    tombstoneGraceMs: 3_600_000,
    drainTimeoutMs: 10_000,
    replaceAfterMs: 60_000,
    clusterId: undefined,
    logLevel: 'info',
    limits: { maxConnections: 16_384, ratePerSecond: undefined, corsOrigins: [], auditLog: undefined },
  })
  assert.match(
    refusal(() => readConnectorSettings({}, environment())),
    /^HOSTS is missing: .*--hosts or HOSTS$/,
  )
  assert.match(
    refusal(() => readNodeSettings({}, environment())),
    /^DATA_DIR is missing: .*--data-dir or DATA_DIR$/,
  )
})

test('a node does not listen where other machines connect without TLS, unless it is told to', () => {
  const read = (host: string, more: Flags = {}) =>
    readNodeSettings({ dataDir: '/d', ...more }, environment({ HOST: host })).host
  for (const host of ['127.0.0.1', '127.0.0.2', '::1', 'localhost']) assert.equal(read(host), host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'node1', '128.0.0.1', '::2']) {
    const sentence = refusal(() => read(host))
    assert.match(
      sentence,
      /^HOST \(from the environment\) is \S+, where other machines can connect, and then/,
    )
    assert.match(
      sentence,
      /"cohort certs init" makes, or listen on 127\.0\.0\.1 \(--host\), or allow it with --insecure/,
    )
    assert.equal(read(host, { insecure: 'true' }), host)
    assert.equal(read(host, FILES), host)
  }
  assert.match(
    refusal(() => read('0.0.0.0', { insecure: 'yes' })),
    /^--insecure must be "true" or "false", got "yes"$/,
  )
})

const FILES = { nodeTlsCertFile: '/c', nodeTlsKeyFile: '/k', nodeTlsCaFile: '/a' }

test('the files of TLS are set together, and are absolute paths', () => {
  const inEnvironment = { NODE_TLS_CERT_FILE: 'c', NODE_TLS_KEY_FILE: '/k', NODE_TLS_CA_FILE: '/a' }
  const node = readNodeSettings({ dataDir: '/d' }, environment(inEnvironment))
  assert.deepEqual(node.tls, { certFile: resolve('c'), keyFile: '/k', caFile: '/a' })
  assert.match(
    refusal(() => readConnectorSettings({ hosts: HOSTS, nodeTlsCertFile: '/c' }, environment())),
    /^NODE_TLS_KEY_FILE is missing: NODE_TLS_CERT_FILE, NODE_TLS_KEY_FILE and NODE_TLS_CA_FILE must be set together$/,
  )
  const api = (flags: Flags) => readConnectorSettings({ hosts: HOSTS, ...flags }, environment()).apiTls
  assert.deepEqual(api({ tlsCertFile: '/c', tlsKeyFile: '/k' }), {
    certFile: '/c',
    keyFile: '/k',
    caFile: undefined,
  })
  assert.equal(api({ tlsCertFile: '/c', tlsKeyFile: '/k', tlsClientCaFile: '/a' })?.caFile, '/a')
  assert.match(
    refusal(() => api({ tlsClientCaFile: '/a' })),
    /^--tls-client-ca-file needs TLS_CERT_FILE and TLS_KEY_FILE/,
  )
})

test('a bad setting is named with the place it came from, what was expected and what was found', () => {
  const bad = { PORT: 'x' }
  assert.equal(
    refusal(() => readNodeSettings({ port: 'x' }, environment())),
    '--port must be a whole number from 0 to 65535, got "x"',
  )
  assert.equal(
    refusal(() => readNodeSettings({ dataDir: 'd' }, environment(bad))),
    'PORT (from the environment) must be a whole number from 0 to 65535, got "x"',
  )
  assert.equal(
    refusal(() => readNodeSettings({ dataDir: 'd' }, environment({}, bad))),
    'PORT (from .env) must be a whole number from 0 to 65535, got "x"',
  )
  assert.match(
    refusal(() => readConnectorSettings({}, environment({ HOSTS: 'a:1,b:1' }))),
    /^HOSTS \(from the environment\) must name 1 node, or 3 to 7, got 2: two nodes/,
  )
})

test('each setting refuses invalid values', () => {
  const cases: readonly (readonly [Flags, RegExp])[] = [
    [{ port: '' }, /^--port must be/],
    [{ port: '-1' }, /^--port must be/],
    [{ port: '65536' }, /^--port must be/],
    [{ port: '80.5' }, /^--port must be/],
    [{ port: '0x50' }, /^--port must be/],
    [{ port: '1e3' }, /^--port must be/],
    [{ host: '' }, /^--host must be a host name or an IP address/],
    [{ host: '127.0.0.1:80' }, /^--host must be a host name or an IP address/],
    [{ host: 'a b' }, /^--host must be a host name or an IP address/],
    [{ timeout: '0' }, /^--timeout must be a number of seconds from 0.1 to 60/],
    [{ timeout: '0.09' }, /^--timeout must be/],
    [{ timeout: '60.1' }, /^--timeout must be/],
    [{ timeout: '3s' }, /^--timeout must be/],
    [{ timeout: 'NaN' }, /^--timeout must be/],
    [{ timeout: 'Infinity' }, /^--timeout must be/],
    [{ timeout: '' }, /^--timeout must be/],
    [{ logLevel: 'loud' }, /^--log-level must be one of fatal, .*, got "loud"$/],
    [{ hosts: '' }, /^--hosts must be the nodes of the cluster/],
    [{ hosts: ',' }, /^--hosts must name 1 node, or 3 to 7, got 0$/],
    [{ hosts: 'a:1,a:1,b:1' }, /^--hosts must name each node once/],
  ]
  for (const [flags, expected] of cases) {
    assert.match(
      refusal(() => readConnectorSettings({ hosts: HOSTS, ...flags }, environment())),
      expected,
    )
  }
  for (const dataDir of ['', ' ', 'a\0b']) {
    assert.match(
      refusal(() => readNodeSettings({ dataDir }, environment())),
      /^--data-dir must be the directory/,
    )
  }
})

test('a timeout is given in seconds, with fractions, from 0.1 to 60', () => {
  for (const [text, ms] of [
    ['0.1', 100],
    ['3', 3_000],
    ['1.5', 1_500],
    ['.25', 250],
    ['60', 60_000],
    ['60.0', 60_000],
  ] as const) {
    assert.equal(readConnectorSettings({ hosts: HOSTS, timeout: text }, environment()).timeoutMs, ms)
  }
})

test('a grace time that is shorter than ten timeouts is refused, wherever either comes from', () => {
  const read = (tombstoneGrace: string | undefined, timeout?: string) =>
    readConnectorSettings({ hosts: HOSTS, timeout, tombstoneGrace }, environment())
  assert.equal(read(undefined).tombstoneGraceMs, 3_600_000)
  assert.equal(read('30').tombstoneGraceMs, 30_000)
  assert.equal(read('2', '0.2').tombstoneGraceMs, 2_000)
  assert.equal(
    refusal(() => read('29.9')),
    '--tombstone-grace must be at least 30 seconds, 10 times TIMEOUT, got "29.9"',
  )
  assert.match(
    refusal(() => readUpSettings({ timeout: '60' }, environment({ TOMBSTONE_GRACE: '599' }))),
    /^TOMBSTONE_GRACE \(from the environment\) must be at least 600 seconds/,
  )
  for (const text of ['0.9', 'x', '-1', '2678401']) {
    assert.match(
      refusal(() => read(text, '0.1')),
      /^--tombstone-grace must be a number of seconds from 1 to 2678400/,
    )
  }
})

test('a drain timeout is given in seconds, from 0 to 600', () => {
  const read = (drainTimeout: string) => readConnectorSettings({ hosts: HOSTS, drainTimeout }, environment())
  for (const [text, ms] of [
    ['0', 0],
    ['0.5', 500],
    ['600', 600_000],
  ] as const) {
    assert.equal(read(text).drainTimeoutMs, ms)
  }
  for (const text of ['-1', '600.1', 'x', '']) {
    assert.match(
      refusal(() => read(text)),
      /^--drain-timeout must be a number of seconds from 0 to 600/,
    )
  }
  assert.equal(readUpSettings({}, environment({ DRAIN_TIMEOUT: '2' })).drainTimeoutMs, 2_000)
})

test('how long an empty node waits is given in seconds, from 0 to a day', () => {
  const read = (replaceAfter: string) => readConnectorSettings({ hosts: HOSTS, replaceAfter }, environment())
  for (const [text, ms] of [
    ['0', 0],
    ['0.5', 500],
    ['86400', 86_400_000],
  ] as const)
    assert.equal(read(text).replaceAfterMs, ms)
  for (const text of ['-1', '86401', 'x', ''])
    assert.match(
      refusal(() => read(text)),
      /^--replace-after must be a number of seconds from 0 to 86400/,
    )
  assert.equal(readUpSettings({}, environment({ REPLACE_AFTER: '2' })).replaceAfterMs, 2_000)
})

test('the id of a cluster is a UUID in any case; an empty flag or variable asks for no cluster', () => {
  const id = 'c0ffee00-0000-4000-8000-00000000abcd'
  const variables = environment({ CLUSTER_ID: ` ${id.toUpperCase()} ` })
  assert.equal(readConnectorSettings({ hosts: HOSTS }, variables).clusterId, id)
  assert.equal(readNodeSettings({ dataDir: '/d' }, variables).clusterId, id)
  assert.equal(readUpSettings({}, variables).clusterId, id)
  assert.equal(readNodeSettings({ dataDir: '/d', clusterId: '' }, variables).clusterId, undefined)
  assert.equal(readNodeSettings({ dataDir: '/d' }, environment({ CLUSTER_ID: '' })).clusterId, undefined)
  for (const text of ['x', id.slice(1), `${id}0`, id.replaceAll('-', '')])
    assert.equal(
      refusal(() => readNodeSettings({ dataDir: '/d' }, environment({ CLUSTER_ID: text }))),
      `CLUSTER_ID (from the environment) must be the id of a cluster, as \`cohort status\` shows it, got ${JSON.stringify(text)}`,
    )
})

test('log levels are read in any case', () => {
  assert.equal(readNodeSettings({ dataDir: 'd' }, environment({ LOG_LEVEL: 'WARN' })).logLevel, 'warn')
})

test('an IPv6 address to listen on may stand in brackets', () => {
  assert.equal(readNodeSettings({ dataDir: 'd', host: '[::1]' }, environment()).host, '::1')
})

test('a connector whose own address is among its hosts is refused', () => {
  for (const [host, port, itself] of [
    ['127.0.0.1', '8001', '127.0.0.1:8001'],
    ['127.0.0.1', '8001', 'localhost:8001'],
    ['0.0.0.0', '8001', 'localhost:8001'],
    ['::', '8001', '[::1]:8001'],
    ['::1', '8001', '[::1]:8001'],
  ] as const) {
    assert.match(
      refusal(() => readConnectorSettings({ host, port, hosts: itself }, environment())),
      /^--hosts must name nodes only, got .*, where this connector itself listens/,
    )
  }
  readConnectorSettings(
    { host: '0.0.0.0', port: '8001', hosts: 'node1:8001', insecure: 'true' },
    environment(),
  )
})

test('a local cluster has 1 node, or 3 to 7; two are refused with the reason', () => {
  for (const count of [1, 3, 4, 5, 6, 7]) {
    assert.equal(readUpSettings({ nodes: String(count) }, environment()).nodeCount, count)
  }
  for (const nodes of ['0', '8', 'x', '', '3.5']) {
    assert.match(
      refusal(() => readUpSettings({ nodes }, environment())),
      /^--nodes must be a whole number from 1 to 7/,
    )
  }
  assert.match(
    refusal(() => readUpSettings({ nodes: '2' }, environment())),
    /^--nodes must be 1, or 3 to 7, got 2: two nodes do not survive/,
  )
  for (const connectors of ['0', '17', 'x']) {
    assert.match(
      refusal(() => readUpSettings({ connectors }, environment())),
      /^--connectors must be a whole number from 1 to 16/,
    )
  }
  assert.match(
    refusal(() => readUpSettings({ port: '65535' }, environment())),
    /^--port must be a whole number from 1 to 65505/,
  )
})

test('the API is expected where cohort up would put it, unless a URL says otherwise', () => {
  assert.equal(readUrl(undefined, environment()), 'http://127.0.0.1:8000')
  assert.equal(readUrl(undefined, environment({}, { PORT: '9000' })), 'http://127.0.0.1:9000')
  assert.equal(
    readUrl('https://example.com/cohort/', environment({ PORT: '9000' })),
    'https://example.com/cohort',
  )
  for (const [url, base] of [
    ['http://127.0.0.1:8000/v1/group', 'http://127.0.0.1:8000'],
    ['http://127.0.0.1:8000/v1/docs/', 'http://127.0.0.1:8000'],
    ['http://127.0.0.1:8000/metrics', 'http://127.0.0.1:8000'],
    ['https://example.com/cohort/v1/group/', 'https://example.com/cohort'],
    ['https://example.com/v1', 'https://example.com/v1'],
    ['https://example.com/my-metrics', 'https://example.com/my-metrics'],
  ] as const) {
    assert.equal(readUrl(url, environment()), base)
  }
  for (const url of [
    '',
    'x',
    'localhost:8000',
    'ftp://a',
    'http://',
    'http://a/?q=1',
    'http://a/#f',
    'http://u:p@a',
  ]) {
    assert.match(
      refusal(() => readUrl(url, environment())),
      /^--url must be a URL like/,
    )
  }
})

test('counts and hosts of a single flag are checked as settings are', () => {
  const range = { default: 5, min: 1, max: 10 }
  assert.equal(readCount('--n', undefined, range), 5)
  assert.equal(readCount('--n', '10', range), 10)
  assert.equal(
    refusal(() => readCount('--n', '11', range)),
    '--n must be a whole number from 1 to 10, got "11"',
  )
  assert.deepEqual(readHostsFlag('--hosts', 'a:1'), ['a:1'])
  assert.match(
    refusal(() => readHostsFlag('--hosts', 'a')),
    /^--hosts must name each node as host:port/,
  )
})

test('any text in any setting gives settings or one sentence', () => {
  const text = fc.option(anyText(), { nil: undefined })
  const flags = fc.record({
    host: text,
    port: text,
    hosts: text,
    timeout: text,
    tombstoneGrace: text,
    logLevel: text,
    dataDir: text,
  })
  fc.assert(
    fc.property(flags, (some) => {
      for (const read of [readConnectorSettings, readNodeSettings, readUpSettings]) {
        try {
          read(some, environment())
        } catch (error) {
          assert.ok(error instanceof SettingError)
          assert.ok(!error.message.includes('\n'))
        }
      }
    }),
  )
})

test('a variable that is not UTF-8 text is refused where it is looked for, and a flag wins over it', () => {
  const garbled = { ...environment({ DATA_DIR: '/caf\ufffd' }), garbled: { DATA_DIR: '/caf\\xe9' } }
  assert.equal(
    refusal(() => readNodeSettings({}, garbled)),
    'DATA_DIR (from the environment) must be UTF-8 text, got "/caf\\xe9"',
  )
  assert.equal(readNodeSettings({ dataDir: '/d' }, garbled).dataDir, '/d')
})

test('limits are read, and what cannot be one is refused', () => {
  const read = (variables: Record<string, string>) =>
    readConnectorSettings({ hosts: HOSTS }, environment(variables)).limits
  assert.deepEqual(
    read({ MAX_CONNECTIONS: '9', RATE_LIMIT: '50', CORS_ORIGINS: 'https://a.example, http://b:8080' }),
    {
      maxConnections: 9,
      ratePerSecond: 50,
      corsOrigins: ['https://a.example', 'http://b:8080'],
      auditLog: undefined,
    },
  )
  assert.deepEqual(read({ CORS_ORIGINS: '*' }).corsOrigins, ['*'])
  assert.equal(read({ AUDIT_LOG: '-' }).auditLog, '-')
  assert.equal(read({ AUDIT_LOG: 'audit.log' }).auditLog, resolve('audit.log'))
  assert.equal(
    readConnectorSettings({ hosts: HOSTS, rateLimit: '' }, environment()).limits.ratePerSecond,
    undefined,
  )
  for (const wrong of ['https://a.example/', 'a.example', 'https://a.example/x', 'null']) {
    assert.match(
      refusal(() => read({ CORS_ORIGINS: wrong })),
      /^CORS_ORIGINS \(from the environment\) must be origins like https:\/\/ui\.example/,
    )
  }
  for (const wrong of ['0', '1.5', 'many']) {
    assert.match(
      refusal(() => read({ RATE_LIMIT: wrong })),
      /^RATE_LIMIT .* whole number from 1/,
    )
    assert.match(
      refusal(() => read({ MAX_CONNECTIONS: wrong })),
      /^MAX_CONNECTIONS .* whole number from 1/,
    )
  }
})

test('the engine on Postgres takes a database with all its hosts instead of nodes', () => {
  const url = 'postgresql://me@db1:6000,db2,[::1]/groups?target_session_attrs=read-write&sslmode=require'
  const { hosts, postgres } = readConnectorSettings(
    { engine: 'postgres', database: url, synchronousStandbys: '2' },
    { variables: {}, dotEnv: {} },
  )
  assert.deepEqual(hosts, [])
  assert.deepEqual(postgres, {
    database: {
      name: 'groups',
      user: 'me',
      hosts: ['db1:6000', 'db2:5432', '[::1]:5432'].map((address) => ({
        address,
        url: `postgres://me@${address}/groups?sslmode=require`,
      })),
    },
    synchronousStandbys: 2,
  })
})

test('a database that cannot be used is refused, and its URL, which may hold a password, is not shown', () => {
  const refuses = (flags: object, expected: RegExp) =>
    assert.throws(
      () => readConnectorSettings(flags, { variables: {}, dotEnv: {} }),
      (error: Error) => expected.test(error.message) && !error.message.includes('secret'),
    )
  refuses({ engine: 'postgres' }, /^DATABASE_URL is missing: name the database/)
  refuses({ engine: 'mysql' }, /^--engine must be cohort or postgres, got "mysql"$/)
  refuses({ database: 'postgres://a/b', hosts: 'a:1' }, /--database is for --engine postgres/)
  for (const [database, expected] of [
    ['mysql://me:secret@db/x', /--database must be a URL like postgres:/],
    ['postgres://me:secret@db1', /must be a URL like/],
    ['postgres://me:secret@db1:x/groups', /must name its hosts as host or host:port/],
    ['postgres://me:secret@db1:70000/groups', /must name its hosts/],
    ['postgres://me:secret@db1/%zz', /must have each % followed by two/],
    ['postgres://me:secret@db1/g?target_session_attrs=any', /must have target_session_attrs=read-write/],
  ] as const) {
    refuses({ engine: 'postgres', database }, expected)
  }
})
