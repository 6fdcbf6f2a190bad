/** `cohort up` with real processes: what it starts, what it starts again, and that nothing outlives it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ClusterStatus } from '../../src/api/status-schemas.ts'
import { create, read } from './load.ts'
import { Service, statusOf, until } from './local-cluster.ts'

/**
 * One `cohort up` after the other on a data directory and ports of its own; nothing is left of them
 * afterwards.
 */
class Ups {
  readonly port: number
  readonly dataDir: string
  readonly #started: Service[] = []

  private constructor(port: number, dataDir: string) {
    this.port = port
    this.dataDir = dataDir
  }

  static async make(): Promise<Ups> {
    return new Ups(await freePortRange(16), await mkdtemp(join(tmpdir(), 'cohort-up-')))
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  start(options: Readonly<{ port?: number; args?: readonly string[] }> = {}): Service {
    const { port = this.port, args = [] } = options
    const up = new Service('up', port, ['up', '--port', String(port), '--data-dir', this.dataDir, ...args])
    this.#started.push(up)
    up.start()
    return up
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const up of this.#started) {
      await up.end('SIGKILL')
      for (const pid of pidsOf(up.output)) killIfAlive(pid)
    }
    await rm(this.dataDir, { recursive: true, force: true })
  }
}

async function untilReady(up: Service): Promise<void> {
  await until(
    'the cluster is ready',
    20_000,
    () => up.output.includes('ready:'),
    () => up.output,
  )
}

/** Every process that has written a log line; `name` narrows it to one service. */
function pidsOf(output: string, name = ''): number[] {
  const lines = output.split('\n').filter((line) => line.startsWith(name))
  return [...new Set(lines.flatMap((line) => /"pid":(\d+)/.exec(line)?.[1] ?? []).map(Number))]
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function killIfAlive(pid: number): void {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL')
}

/** The first of so many consecutive ports that are free now. */
async function freePortRange(count: number): Promise<number> {
  for (let base = 21_000 + (process.pid % 500) * 16; base < 32_000; base += 16) {
    const ports = Array.from({ length: count }, (_, index) => base + index)
    const free = await Promise.all(ports.map(isFree))
    if (free.every((is) => is)) return base
  }
  throw new Error('no free ports')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().listen(port, '127.0.0.1')
    server.on('error', () => resolve(false))
    server.on('listening', () => server.close(() => resolve(true)))
  })
}

test('up starts a cluster, says where it is, and Ctrl-C stops all of it, connectors first', async () => {
  await using ups = await Ups.make()
  const up = ups.start({ args: ['--connectors', '2'] })
  await untilReady(up)
  assert.match(up.output, /^cohort +\| ready: 3 nodes, 2 connectors$/m)
  assert.ok(up.output.includes(`${ups.url}/v1/group`), up.output)
  assert.ok(up.output.includes(`${ups.url}/v1/docs`), up.output)
  assert.equal((await create(ups.url, 'first')).status, 201)
  assert.equal((await read(`http://127.0.0.1:${ups.port + 4}`, 'first')).status, 200)
  const metrics = [0, 4, 5, 6, 7].map((offset) => `http://127.0.0.1:${ups.port + offset}/metrics`)
  for (const url of metrics) {
    assert.ok(up.output.includes(url), up.output)
    assert.equal(await statusOf(url), 200)
  }
  const pids = pidsOf(up.output)
  assert.equal(pids.length, 5)

  assert.equal(await up.end('SIGINT'), 0)
  assert.deepEqual(pids.filter(isAlive), [])
  const stops = up.output
    .split('\n')
    .filter((line) => /"msg":"(connector|node) (is stopping|has stopped)"/.test(line))
  const kinds = stops.map((line) => line.slice(0, 4))
  assert.ok(kinds.lastIndexOf('conn') < kinds.indexOf('node'), stops.join('\n'))
})

test('a process that dies is started again, and said so', async () => {
  await using ups = await Ups.make()
  const up = ups.start()
  await untilReady(up)
  for (const name of ['node2', 'connector']) {
    const [pid] = pidsOf(up.output, name)
    process.kill(pid!, 'SIGKILL')
    await until(
      `${name} is back`,
      20_000,
      () => pidsOf(up.output, name).length === 2,
      () => up.output,
    )
    assert.match(
      up.output,
      new RegExp(`^${name} +\\| was ended by SIGKILL; it is started again in 0.2 s$`, 'm'),
    )
  }
  await until('the API answers', 20_000, async () => (await statusOf(`${ups.url}/readyz`)) === 200)
  assert.equal(await up.end('SIGTERM'), 0)
})

test('a node that was removed from the cluster is not started again', async () => {
  await using ups = await Ups.make()
  const up = ups.start({ args: ['--nodes', '4'] })
  await untilReady(up)
  const { members } = (await (await fetch(`${ups.url}/v1/cluster`)).json()) as ClusterStatus
  const { nodeId } = members.find(({ address }) => address === `127.0.0.1:${ups.port + 4}`)!
  const removal = await fetch(`${ups.url}/v1/cluster/members/${nodeId}`, { method: 'DELETE' })
  assert.equal(removal.status, 202)
  await until(
    'up has left it alone',
    20_000,
    () => /^node4 +\| is a member of the cluster no more, and is not started again$/m.test(up.output),
    () => up.output,
  )
  assert.equal(pidsOf(up.output, 'node4').length, 1)
  assert.equal((await create(ups.url, 'afterwards')).status, 201)
  assert.equal(await up.end('SIGTERM'), 0)
})

test('when up itself is killed, what it started drains and ends', async () => {
  await using ups = await Ups.make()
  const up = ups.start()
  await untilReady(up)
  const pids = pidsOf(up.output)
  assert.equal(pids.length, 4)
  await up.end('SIGKILL')
  await until('nothing is left', 10_000, () => !pids.some(isAlive))
})

test('data are found again by as many nodes, and refused to any other number', async () => {
  await using ups = await Ups.make()
  const first = ups.start()
  await untilReady(first)
  assert.equal((await create(ups.url, 'kept')).status, 201)
  assert.equal(await first.end('SIGINT'), 0)

  const other = ups.start({ args: ['--nodes', '5'] })
  assert.equal(await other.exit(), 2)
  assert.match(
    other.output,
    /^cohort: \S+ holds the data of 3 nodes, but 5 nodes were asked for: use --nodes 3/,
  )

  const again = ups.start()
  await untilReady(again)
  assert.equal((await read(ups.url, 'kept')).status, 200)
  assert.equal(await again.end('SIGINT'), 0)
})

test('a second up on the same data ends with the reason, and the first is not disturbed', async () => {
  await using ups = await Ups.make()
  const first = ups.start()
  await untilReady(first)
  // Behind the ports of the first: a connector, three nodes, and their metrics.
  const second = ups.start({ port: ups.port + 7 })
  assert.equal(await second.exit(), 1)
  assert.match(second.output, /is using the data directory/)
  assert.match(
    second.output,
    /could not start \(ended with exit code 1\).*\n(.*\n)*.*nothing is left running/,
  )
  assert.equal((await create(ups.url, 'undisturbed')).status, 201)
  assert.equal(await first.end('SIGINT'), 0)
})
