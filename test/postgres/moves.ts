/**
 * Moves groups and their members from Postgres to nodes and back, with `cohort backup` and `cohort restore`,
 * and compares all of them after each move: `npm run postgres:moves -- --groups 100000 --members 1`.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createGroup } from '../../src/group/create-group.ts'
import { putGroupMember } from '../../src/group/put-group-member.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import { cohort, startCommand } from '../cluster/command.ts'
import { call, forEach } from '../cluster/load.ts'
import { LocalCluster, untilReady } from '../cluster/local-cluster.ts'
import { freePorts } from '../cluster/ports.ts'
import { Service } from '../cluster/service.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { anEngine } from './shared-trio.ts'
import { Trio } from './trio.ts'

/** How long one command may take. */
const COMMAND_MS = 30 * 60_000
/** How many groups are made at once, and how long one of them may take. */
const CLIENTS = 256
const FILL_MS = 60_000

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
  await timed('fill Postgres', () => fill(trio.url('first'), { groups, members }))
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

/** Makes groups, each with this many members. Without HTTP, which would take most of the time. */
async function fill(url: string, { groups, members }: Counts): Promise<void> {
  await using started = await anEngine(url, { timeoutMs: FILL_MS })
  const { registry, groupMembers } = started.engine
  const incarnation = (id: string) => `of-${id.replaceAll(' ', '-')}`
  const groupIds = Array.from({ length: groups }, (_, id) => `move/${id}`)
  const now = new Date().toISOString()
  await forEach(
    groupIds,
    async (groupId) => {
      const description = `about ${groupId}`
      const options = { groupId, description, now, author: AUTHOR, incarnation: incarnation(groupId) }
      assert.equal((await registry.change(groupId, createGroup(options))).kind, 'done')
      for (let member = 0; member < members; member += 1) {
        const memberId = `member ${member}`
        const put = { memberId, role: 'owner', now, author: AUTHOR, incarnation: incarnation(memberId) }
        assert.equal((await groupMembers.put(groupId, memberId, putGroupMember(put))).kind, 'done')
      }
    },
    CLIENTS,
  )
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
