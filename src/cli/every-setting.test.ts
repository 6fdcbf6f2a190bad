/** Each setting, from where it is set to the part of the settings that it changes. */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { Command } from 'commander'
import type { Environment } from '../config/environment.ts'
import { FLAGS, type Flags, type Variable } from '../config/lookup.ts'
import { readConnectorSettings, readNodeSettings, readUpSettings } from '../config/settings.ts'
import { addConnectorCommand } from './connector-command.ts'
import type { Context } from './context.ts'
import { addNodeCommand } from './node-command.ts'
import { planCluster } from './up/cluster-plan.ts'
import { planOnPostgres } from './up/postgres/on-postgres.ts'
import { addUpCommand } from './up-command.ts'

type Variables = { readonly [name in Variable]?: string }
type Read = (flags: Flags, environment: Environment) => object

const READERS = { node: readNodeSettings, connector: readConnectorSettings, up: readUpSettings } as const
type Kind = keyof typeof READERS

/** What must be set for a process to start. */
const NEEDED: Readonly<Record<Kind, Variables>> = {
  node: { DATA_DIR: '/d' },
  connector: { HOSTS: 'a:1' },
  up: {},
}
const NODE_TLS = { NODE_TLS_CERT_FILE: '/c', NODE_TLS_KEY_FILE: '/k', NODE_TLS_CA_FILE: '/a' }
const API_TLS = { TLS_CERT_FILE: '/c', TLS_KEY_FILE: '/k' }
const OIDC = { OIDC_ISSUER: 'https://a', OIDC_AUDIENCE: 'b', OIDC_ROLES: 'c -> admin' }
const POSTGRES = { ENGINE: 'postgres', DATABASE_URL: 'postgres://a@b/c' }

/**
 * A value that is not the default, and the part of the settings that it changes: of a node, and after a space
 * that of the others if it is another one.
 */
type Row = Readonly<{
  of: readonly Kind[]
  text: string
  part: string
  value: unknown
  /** What must be set beside it. */
  with?: Variables
}>

const EVERYBODY = ['node', 'connector', 'up'] as const
const SERVING = ['connector', 'up'] as const

/** The variables that only commands with a client read are tested beside those commands. */
type Tested = Exclude<Variable, `COHORT_${string}`>

const ROWS: Readonly<Record<Tested, Row>> = {
  HOST: { of: EVERYBODY, text: '127.0.0.9', part: 'host', value: '127.0.0.9' },
  PORT: { of: EVERYBODY, text: '9000', part: 'port', value: 9_000 },
  METRICS_PORT: { of: ['node'], text: '9100', part: 'metricsPort', value: 9_100 },
  HOSTS: { of: ['connector'], text: 'b:2', part: 'hosts', value: ['b:2'] },
  // `ENGINE` decides which other settings count.
  ENGINE: { of: ['connector'], text: 'postgres', part: 'hosts', value: [], with: POSTGRES },
  DATABASE_URL: {
    of: ['connector'],
    text: 'postgres://a@b/d',
    part: 'postgres.database.name',
    value: 'd',
    with: POSTGRES,
  },
  SYNCHRONOUS_STANDBYS: {
    of: SERVING,
    text: '2',
    part: 'postgres.synchronousStandbys',
    value: 2,
    with: POSTGRES,
  },
  TIMEOUT: { of: SERVING, text: '1.5', part: 'timeoutMs', value: 1_500 },
  TOMBSTONE_GRACE: { of: SERVING, text: '7200', part: 'tombstoneGraceMs', value: 7_200_000 },
  DRAIN_TIMEOUT: { of: SERVING, text: '0', part: 'drainTimeoutMs', value: 0 },
  REPLACE_AFTER: { of: SERVING, text: '0', part: 'replaceAfterMs', value: 0 },
  CLUSTER_ID: {
    of: EVERYBODY,
    text: '11111111-2222-4333-8444-555555555555',
    part: 'clusterId',
    value: '11111111-2222-4333-8444-555555555555',
  },
  DATA_DIR: { of: ['node', 'up'], text: './e', part: 'dataDir', value: resolve('e') },
  SCRUB_PERIOD: { of: ['node'], text: '5', part: 'scrubPeriodMs', value: 5_000 },
  NODE_TLS_CERT_FILE: tlsFile('tls.certFile', 'nodeTls.certFile'),
  NODE_TLS_KEY_FILE: tlsFile('tls.keyFile', 'nodeTls.keyFile'),
  NODE_TLS_CA_FILE: tlsFile('tls.caFile', 'nodeTls.caFile'),
  TLS_CERT_FILE: { of: ['connector'], text: '/x', part: 'apiTls.certFile', value: '/x', with: API_TLS },
  TLS_KEY_FILE: { of: ['connector'], text: '/x', part: 'apiTls.keyFile', value: '/x', with: API_TLS },
  TLS_CLIENT_CA_FILE: { of: ['connector'], text: '/x', part: 'apiTls.caFile', value: '/x', with: API_TLS },
  // A node only starts, or does not: settings.test.ts.
  INSECURE: { of: SERVING, text: 'true', part: 'isInsecure', value: true },
  LOG_LEVEL: { of: EVERYBODY, text: 'debug', part: 'logLevel', value: 'debug' },
  MAX_CONNECTIONS: { of: EVERYBODY, text: '9', part: 'maxConnections limits.maxConnections', value: 9 },
  RATE_LIMIT: { of: SERVING, text: '9', part: 'limits.ratePerSecond', value: 9 },
  CORS_ORIGINS: { of: SERVING, text: 'https://a', part: 'limits.corsOrigins', value: ['https://a'] },
  ADMIN_KEY_FILE: { of: ['connector'], text: '/x', part: 'access.adminKeyFile', value: '/x' },
  OIDC_ISSUER: oidc('https://x', 'issuer', 'https://x'),
  OIDC_AUDIENCE: oidc('x', 'audience', 'x'),
  OIDC_ALGORITHMS: oidc('ES256', 'algorithms', ['ES256']),
  OIDC_ROLE_CLAIM: oidc('x.y', 'roleClaim', ['x', 'y']),
  OIDC_ROLES: oidc('c -> reader', 'rules.0.role', 'reader'),
  CLIENT_ROLES_FILE: {
    of: ['connector'],
    text: '/x',
    part: 'access.clientRolesFile',
    value: '/x',
    with: { ...API_TLS, TLS_CLIENT_CA_FILE: '/a' },
  },
  AUDIT_LOG: { of: SERVING, text: '/x', part: 'limits.auditLog', value: '/x' },
}

function tlsFile(ofNode: string, ofConnector: string): Row {
  const part = `${ofNode} ${ofConnector}`
  return { of: ['node', 'connector'], text: '/x', part, value: '/x', with: NODE_TLS }
}

function oidc(text: string, part: string, value: unknown): Row {
  return { of: ['connector'], text, part: `access.oidc.${part}`, value, with: OIDC }
}

function flagsOf(variables: Variables): Flags {
  const entries = Object.entries(variables) as [Variable, string][]
  return Object.fromEntries(entries.map(([variable, text]) => [FLAGS[variable].key, text]))
}

/** The leaves of settings by their path, as `access.oidc.rules.0.role`. */
function leavesOf(settings: unknown, path = ''): ReadonlyMap<string, unknown> {
  const isLeaf = typeof settings !== 'object' || settings === null || Object.keys(settings).length === 0
  if (isLeaf) return new Map(settings === undefined ? [] : [[path, settings]])
  const parts = Object.entries(settings)
  return new Map(parts.flatMap(([name, part]) => [...leavesOf(part, path === '' ? name : `${path}.${name}`)]))
}

function changedParts(before: object, after: object): string[] {
  const [a, b] = [leavesOf(before), leavesOf(after)]
  const paths = [...new Set([...a.keys(), ...b.keys()])]
  return paths.filter((path) => JSON.stringify(a.get(path)) !== JSON.stringify(b.get(path)))
}

for (const [name, row] of Object.entries(ROWS)) {
  test(`${name} is read from its flag, its variable and .env, and changes one part of the settings`, () => {
    const one = { [name]: row.text } as Variables
    for (const kind of row.of) {
      const read: Read = READERS[kind]
      const needed: Variables = { ...NEEDED[kind], ...row.with }
      const { [name as Tested]: _, ...rest } = needed
      const inFlag = read({ ...flagsOf(rest), ...flagsOf(one) }, { variables: {}, dotEnv: {} })
      assert.deepEqual(read({}, { variables: { ...rest, ...one }, dotEnv: {} }), inFlag)
      assert.deepEqual(read({}, { variables: rest, dotEnv: one }), inFlag)
      const part = row.part.split(' ').at(kind === 'node' ? 0 : -1)!
      const leaves = [...leavesOf(inFlag)].filter(([path]) => path === part || path.startsWith(`${part}.`))
      assert.deepEqual(
        leaves.map(([, value]) => value),
        [row.value].flat().length === 0 ? [[]] : [row.value].flat(),
        `${part} of the ${kind}`,
      )
      if (name === 'ENGINE') continue
      const before = read(flagsOf(needed), { variables: {}, dotEnv: {} })
      const changed = changedParts(before, inFlag)
      // The URL of a database names it again.
      const expected = name === 'DATABASE_URL' ? [part, 'postgres.database.hosts.0.url'] : [part]
      assert.ok(changed.length > 0, 'the value is not the default')
      for (const path of changed) {
        assert.ok(
          expected.some((one) => path === one || path.startsWith(`${one}.`)),
          `${name} of the ${kind} changes ${path}`,
        )
      }
    }
  })
}

/** Worlds in which, together, every setting of a process is looked for. */
const WORLDS: Readonly<Record<Kind, readonly Variables[]>> = {
  node: [NODE_TLS, { HOST: '10.0.0.1', INSECURE: 'true' }],
  connector: [{ ...NODE_TLS, ...API_TLS, ...OIDC }, POSTGRES, { HOST: '10.0.0.1', INSECURE: 'true' }],
  up: [{}, POSTGRES],
}

test('every setting that a process reads is an option of its command, and the other way round', () => {
  const add = { node: addNodeCommand, connector: addConnectorCommand, up: addUpCommand }
  for (const kind of EVERYBODY) {
    const program = new Command()
    add[kind](program, {} as Context)
    const options = program.commands[0]!.options.map((option) => option.attributeName())
    const named = options.filter((key) => Object.values(FLAGS).some((flag) => flag.key === key))
    const looked = new Set<string>()
    for (const world of WORLDS[kind]) {
      const given: Variables = { ...NEEDED[kind], ...world }
      const get = (_target: object, name: Variable) => {
        looked.add(FLAGS[name].key)
        return given[name]
      }
      READERS[kind]({}, { variables: new Proxy({}, { get }) as Variables, dotEnv: {} })
    }
    assert.deepEqual([...looked].sort(), [...new Set(named)].sort(), kind)
  }
})

test('up takes the engine and the database from a flag, a variable or .env', () => {
  const expected = { database: 'postgres://a@b/c', synchronousStandbys: 1 }
  const flags = { engine: 'postgres', database: 'postgres://a@b/c' }
  for (const settings of [
    readUpSettings(flags, { variables: {}, dotEnv: {} }),
    readUpSettings({}, { variables: POSTGRES, dotEnv: {} }),
    readUpSettings({}, { variables: {}, dotEnv: POSTGRES }),
  ]) {
    assert.deepEqual(settings.postgres, expected)
    assert.equal(settings.nodeCount, 0)
  }
  const local = readUpSettings({ engine: 'postgres' }, { variables: {}, dotEnv: {} })
  assert.deepEqual(local.postgres, { database: undefined, synchronousStandbys: 1 })
  const alone = readUpSettings({ engine: 'postgres', nodes: '1' }, { variables: {}, dotEnv: {} })
  assert.equal(alone.postgres?.synchronousStandbys, 0)
  for (const [wrong, message] of [
    [{ ...flags, nodes: '3' }, /--nodes is for servers on this machine, and --database names others/],
    [{ engine: 'postgres', nodes: '3', synchronousStandbys: '3' }, /must be a whole number from 0 to 2/],
    [{ database: flags.database }, /--database is for --engine postgres/],
    [{ engine: 'postgres', database: 'mysql://a' }, /--database must be a URL like postgres:/],
  ] as const) {
    assert.throws(() => readUpSettings(wrong, { variables: {}, dotEnv: {} }), message)
  }
})

test('no variable changes a service of `up`: each setting is on its command line, or in its environment', async () => {
  const rows = Object.entries(ROWS) as [Tested, Row][]
  const hostile = Object.fromEntries(rows.map(([name, { text }]) => [name, text]))
  for (const flags of [
    { dataDir: '/d' },
    { dataDir: '/d', tls: true },
    { dataDir: '/d', engine: 'postgres', database: 'postgres://a@b/x' },
  ]) {
    const settings = readUpSettings(flags, { variables: {}, dotEnv: {} })
    const plan =
      settings.postgres === undefined ? planCluster(settings) : (await planOnPostgres(settings)).plan
    for (const { name, kind, args, environment } of plan) {
      assert.ok(kind !== 'server')
      const program = new Command()
      const add = kind === 'node' ? addNodeCommand : addConnectorCommand
      add(program, {} as Context)
      let parsed: Flags = {}
      program.commands[0]!.action((given: Flags) => {
        parsed = given
      })
      program.parse([...args], { from: 'user' })
      const read: Read = READERS[kind]
      const quiet = read(parsed, { variables: { ...environment }, dotEnv: {} })
      assert.deepEqual(read(parsed, { variables: { ...hostile, ...environment }, dotEnv: {} }), quiet, name)
      assert.deepEqual(read(parsed, { variables: { ...environment }, dotEnv: hostile }), quiet, name)
    }
  }
})
