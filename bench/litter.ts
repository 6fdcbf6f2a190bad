/**
 * Measures what many created and deleted groups leave behind: the size of each node's data directory when it
 * is empty, when all groups are deleted, and when their tombstones are removed.
 *
 *   npm run bench:litter -- [--amount 100000] [--grace 30] [--clients 64]
 *
 * `--grace` is TOMBSTONE_GRACE, in seconds.
 */
import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { ClusterStatus } from '../src/api/status-schemas.ts'
import { call, create, type Reply, remove } from '../test/cluster/load.ts'
import { LocalCluster } from '../test/cluster/local-cluster.ts'

const { values } = parseArgs({
  options: {
    amount: { type: 'string', default: '100000' },
    grace: { type: 'string', default: '30' },
    clients: { type: 'string', default: '64' },
  },
})
const amount = Number(values.amount)

/** How often progress is shown. */
const SHOW_MS = 10_000
/** A size that has not changed for this long is final. */
const STILL_MS = 10_000

await using cluster = await LocalCluster.start({ graceSeconds: Number(values.grace) })
const { url } = cluster.connectors[0]!

/** Bytes of all files in a node's data directory. */
function sizeOf(node: number): number {
  const directory = cluster.dataDirectory(node)
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

const sizes = () => cluster.nodes.map((_, node) => sizeOf(node))
const megabytes = (bytes: readonly number[]) => bytes.map((size) => (size / 1e6).toFixed(1)).join(' / ')

async function holdings(): Promise<string> {
  const { body } = await call('GET', `${url}/v1/cluster`)
  const { members } = body as unknown as ClusterStatus
  return members.map(({ records, tombstones, stubs }) => `${records} ${tombstones} ${stubs}`).join(' / ')
}

const startMs = performance.now()
const seconds = () => ((performance.now() - startMs) / 1_000).toFixed(0)
let done = 0
let repeated = 0
async function show(what: string): Promise<void> {
  const held = await holdings().catch(String)
  console.log(
    `${seconds().padStart(5)} s  ${what}  ${megabytes(sizes())} MB  records, tombstones, stubs: ${held}`,
  )
}

await sleep(2_000)
const emptySizes = sizes()
await show('empty')
const timer = setInterval(() => void show(`${done} of ${amount}`), SHOW_MS)

/**
 * Repeats a request that a busy machine did not answer in time, until it succeeds or turns out to be done.
 */
async function untilDone(send: () => Promise<Reply>, done: readonly number[]): Promise<void> {
  for (;;) {
    const { status, body } = await send()
    if (done.includes(status)) return
    assert.ok(status === 503 || status === 504, `${status} ${JSON.stringify(body)}`)
    repeated += 1
  }
}

async function work(): Promise<void> {
  while (done < amount) {
    done += 1
    const groupId = `litter-${done}`
    await untilDone(() => create(url, groupId), [201, 409])
    await untilDone(() => remove(url, groupId), [200, 404])
  }
}
await Promise.all(Array.from({ length: Number(values.clients) }, work))
const loadSeconds = seconds()
const fullSizes = sizes()
await show('all are created and deleted')

let lastSizes = ''
for (let stillMs = 0; stillMs < STILL_MS; stillMs += 1_000) {
  await sleep(1_000)
  const held = await holdings()
  const isEmpty = held.split(' / ').every((counts) => counts === '1 0 0')
  const now = megabytes(sizes())
  if (!isEmpty || now !== lastSizes) stillMs = 0
  lastSizes = now
}
clearInterval(timer)
await show('all is removed')

console.log(
  `\n${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; ${amount} groups created and deleted in ` +
    `${loadSeconds} s (${repeated} requests repeated), grace time ${values.grace} s\n`,
)
console.log('| data directories of the three nodes, MB | |')
console.log('| --- | --- |')
console.log(`| empty | ${megabytes(emptySizes)} |`)
console.log(`| all groups created and deleted | ${megabytes(fullSizes)} |`)
console.log(`| after ${seconds()} s: what was left is removed | ${megabytes(sizes())} |`)
