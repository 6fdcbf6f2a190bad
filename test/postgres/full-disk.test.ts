/** A server of Postgres on a disk of its own, which is full. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { initDatabase } from '../../src/engines/postgres/init.ts'
import { createGroup } from '../../src/group/create-group.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { freePorts } from '../cluster/ports.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { until } from '../cluster/waiting.ts'
import { copyAs, handOver, RUN_AS } from './programs.ts'
import { Server, SUPERUSER } from './server.ts'
import { anEngine, databaseOf, sharedTrio } from './shared-trio.ts'

leaveNothing()

const WAIT_MS = 30_000
const INIT_MS = 30_000

/** Mounts a small disk in memory, or says why this user cannot. */
function mount(directory: string): string | (() => void) {
  const { uid = process.getuid?.(), gid = process.getgid?.() } = RUN_AS
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '--non-interactive']
  const run = (...command: string[]) => {
    const [program, ...args] = [...asRoot, ...command] as [string, ...string[]]
    execFileSync(program, args, { stdio: 'pipe' })
  }
  try {
    run('mount', '-t', 'tmpfs', '-o', `size=64m,mode=755,uid=${uid},gid=${gid}`, 'tmpfs', directory)
  } catch (error) {
    return `this user cannot mount a disk: ${(error as Error).message}`
  }
  return () => run('umount', '--lazy', directory)
}

const create = (groupId: string) =>
  createGroup({ groupId, now: '2026-01-01T00:00:00.000Z', author: AUTHOR, incarnation: groupId })

test('a full disk refuses changes and leaves the reads; a server that it ends is started again and serves', async (t: TestContext) => {
  const trio = await sharedTrio()
  await using directory = await temporaryDirectory()
  await handOver(directory.path, 0o755)
  const disk = join(directory.path, 'disk')
  await mkdir(disk)
  const unmount = mount(disk)
  if (typeof unmount === 'string') return t.skip(unmount)
  await using stack = new AsyncDisposableStack()
  stack.defer(unmount)
  const [port = 0] = await freePorts(1)
  const server = new Server('s1', port, join(disk, 'data'), trio.programs)
  stack.defer(() => server.end('SIGQUIT'))
  await copyAs(trio.pristineData, server.dataDir)
  await server.configure([
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
    'shared_buffers = 16MB',
    'fsync = off',
    'min_wal_size = 32MB',
    'max_wal_size = 32MB',
  ])
  await server.start()
  const url = `postgres://${SUPERUSER}@${server.address}/postgres`
  await initDatabase(databaseOf(url), INIT_MS)
  const { engine } = stack.use(await anEngine(url, { synchronousStandbys: 0 }))
  const { registry, status } = engine
  assert.equal((await registry.change('kept', create('kept'))).kind, 'done')

  const { bavail, bsize } = await statfs(disk)
  const ballast = join(disk, 'ballast')
  await writeFile(ballast, Buffer.alloc(bavail * bsize))
  const full = `The disk of the primary ${server.address} is full: free space on it; reads go on`
  await until('a change needs more room', WAIT_MS, async () => {
    const ids = Array.from({ length: 64 }, () => `full-${crypto.randomUUID()}`)
    const outcomes = await Promise.all(ids.map((id) => registry.change(id, create(id))))
    return outcomes.some((outcome) => outcome.kind === 'not_applied' && outcome.reason === full)
  })
  assert.deepEqual([status.describe().verdict, status.describe().reason], ['unavailable', `${full}.`])
  const read = await registry.read('kept')
  assert.equal(read.kind === 'done' && read.value?.groupId, 'kept')

  // What is written to the log needs room too. Without it, Postgres ends itself.
  const longRecord = "select pg_logical_emit_message(true, 'long', repeat('x', 900000))"
  await until('the server has ended', WAIT_MS, async () => {
    await server.query(longRecord).catch(() => undefined)
    return !server.isRunning
  })
  assert.match(server.output, /No space left on device/)
  await until('the status says it', WAIT_MS, () =>
    /does not serve \(.*\): start it, or see in its log why it does not\.$/.test(status.describe().reason),
  )

  await rm(ballast)
  await server.start()
  await until('changes are made again', WAIT_MS, async () => {
    return (await registry.change('after', create('after'))).kind === 'done'
  })
  assert.equal((await registry.read('kept')).kind, 'done')
  assert.notEqual(status.describe().verdict, 'unavailable')
})
