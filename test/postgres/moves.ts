/**
 * Moves groups and their members from Postgres to nodes and back, with `cohort backup` and `cohort restore`,
 * and compares all of them after each move: `npm run postgres:moves -- --groups 100000 --members 1`.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { cohort, startCommand } from '../cluster/command.ts'
import { call, forEach, groupUrl } from '../cluster/load.ts'
import { LocalCluster, untilReady } from '../cluster/local-cluster.ts'
import { freePorts } from '../cluster/ports.ts'
import { Service } from '../cluster/service.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { Trio } from './trio.ts'

/** How long one command may take. */
const COMMAND_MS = 30 * 60_000
/** How many groups one request makes. */
const BATCH = 500
const ATTEMPTS_MAX = 100
const PAUSE_MS = 200

export type Counts = Readonly<{ groups: number; members: number }>

export type Move = Readonly<{ step: string; seconds: number; rowsPerSecond: number }>

/**
 * Fills a database, and moves what it holds to three nodes, and from there to another database.
 */
export async function moveBothWays({ groups, members }: Counts, onStep: (move: Move) => void): Promise<void> {
  await using directory = await temporaryDirectory()
  await using trio = await Trio.start()
  await using first = await connectorOn(trio, 'first')
  await using second = await connectorOn(trio, 'second')
  await using cluster = await LocalCluster.start({ connectors: 1 })
  const nodes = cluster.connectors[0]!
  const timed = async (step: string, work: () => Promise<void>) => {
    const startMs = performance.now()
    await work()
    const seconds = (performance.now() - startMs) / 1_000
    onStep({ step, seconds, rowsPerSecond: Math.round((groups * (1 + members)) / seconds) })
  }
  const run = (step: string, ...args: readonly string[]) =>
    timed(step, async () => {
      await using command = startCommand(...args)
      assert.equal(await command.exit(COMMAND_MS), 0, command.output.slice(-2_000))
    })
  await timed('fill Postgres over the API', () => fill(first.url, { groups, members }))
  const before = await contentsOf(first.url)
  assert.deepEqual({ groups: before.groups, members: before.members }, { groups, members: groups * members })
  for (const [name, from, to] of [
    ['Postgres to nodes', first, nodes],
    ['nodes to Postgres', nodes, second],
  ] as const) {
    const file = join(directory.path, `${from.name}.jsonl`)
    await run(`${name}: backup`, 'backup', '--url', from.url, '--out', file)
    await run(`${name}: restore`, 'restore', '--url', to.url, '--in', file)
    assert.deepEqual(await contentsOf(to.url), before, `${name}: the same groups, members and ETags`)
  }
}

async function connectorOn(trio: Trio, name: string): Promise<Service> {
  await trio.createDatabase(name)
  const url = trio.url(name)
  const init = await cohort('postgres', 'init', '--database', url)
  assert.equal(init.exitCode, 0, init.output)
  const [port] = await freePorts(1)
  const flags = ['--engine', 'postgres', '--database', url, '--port', String(port)]
  const connector = new Service(name, port!, ['connector', ...flags])
  await connector.restart()
  await untilReady(connector)
  return connector
}

/** Makes groups, each with this many members, over the API. */
async function fill(url: string, { groups, members }: Counts): Promise<void> {
  const batches = Array.from({ length: Math.ceil(groups / BATCH) }, (_, index) => String(index * BATCH))
  await forEach(
    batches,
    async (text) => {
      const first = Number(text)
      const ids = Array.from({ length: Math.min(BATCH, groups - first) }, (_, index) => first + index)
      const create = ids.map((id) => ({ groupId: `move/${id}`, description: `about ${id}` }))
      await patiently(`${url}/v1/groups:batch`, { create })
    },
    2,
  )
  if (members === 0) return
  const add = Array.from({ length: members }, (_, index) => ({ memberId: `member ${index}`, role: 'owner' }))
  const groupIds = Array.from({ length: groups }, (_, id) => `move/${id}`)
  await forEach(groupIds, (groupId) => patiently(`${groupUrl(url, groupId)}/members:batch`, { add }), 16)
}

/** Sends a batch, again and again while the connector has no time for it. */
async function patiently(url: string, body: object): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { status, body: answer } = await call('POST', url, body)
    const isPassing = status === 503 || JSON.stringify(answer).includes('"status":503')
    if (status === 200 && !isPassing) return
    assert.ok(isPassing && attempt < ATTEMPTS_MAX, JSON.stringify(answer).slice(0, 500))
    await sleep(PAUSE_MS)
  }
}

/** What a backup has of all groups and members, without what a restore draws anew. */
async function contentsOf(url: string) {
  const hash = createHash('sha256')
  const count = async (path: string, field: string): Promise<number> => {
    let total = 0
    for (let after: string | undefined; ; ) {
      const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
      const { status, body } = await call('GET', `${url}${path}?limit=1000${query}`)
      assert.equal(status, 200, JSON.stringify(body))
      const rows = body[field] as { life?: string }[]
      for (const { life: _, ...row } of rows) hash.update(JSON.stringify(row))
      total += rows.length
      if (body.after === undefined) return total
      after = body.after as string
    }
  }
  const groups = await count('/v1/backup', 'groups')
  const members = await count('/v1/backup/members', 'members')
  return { groups, members, digest: hash.digest('hex') }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { groups: { type: 'string', default: '100000' }, members: { type: 'string', default: '1' } },
  })
  const counts = { groups: Number(values.groups), members: Number(values.members) }
  await moveBothWays(counts, ({ step, seconds, rowsPerSecond }) =>
    console.log(`${step}: ${seconds.toFixed(1)} s, ${rowsPerSecond} groups and members a second`),
  )
  console.log('the same groups, members and ETags on both engines')
}
