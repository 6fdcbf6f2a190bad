/**
 * Deletes one group with very many members: how long the delete takes, what a check says at once, and how
 * long it takes until nothing is left of the members on any node. Members are added by `members:batch`.
 *
 *   npm run bench:member-litter -- [--members 1000000] [--grace 30] [--fill-seconds 900]
 *                                  [--litter-seconds 1500]
 *
 * `--grace` is TOMBSTONE_GRACE, in seconds. What is not done within the two bounds is printed as it is then.
 */
import assert from 'node:assert/strict'
import { cpus, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { ClusterStatus } from '../src/api/status-schemas.ts'
import { call, create, groupUrl, remove } from '../test/cluster/load.ts'
import { LocalCluster } from '../test/cluster/local-cluster.ts'

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '1000000' },
    grace: { type: 'string', default: '30' },
    'fill-seconds': { type: 'string', default: '900' },
    'litter-seconds': { type: 'string', default: '1500' },
  },
})
const wanted = Number(values.members)

const GROUP = 'large'
const BATCH = 500
const BATCHES_AT_ONCE = 2
const SHOW_MS = 10_000
const POLL_MS = 500

await using cluster = await LocalCluster.start({ graceSeconds: Number(values.grace) })
const { url } = cluster.connectors[0]!
const memberUrl = (index: number) => `${groupUrl(url, GROUP)}/members/member-${index}`

const startMs = performance.now()
const secondsSince = (sinceMs: number) => (performance.now() - sinceMs) / 1_000
const log = (text: string) => console.log(`${secondsSince(startMs).toFixed(0).padStart(5)} s  ${text}`)

/** What each node holds: live records, tombstones and stubs, of everything. */
async function holdings(): Promise<readonly (readonly number[])[]> {
  const { body } = await call('GET', `${url}/v1/cluster`)
  const { members } = body as unknown as ClusterStatus
  return members.map(({ records, tombstones, stubs }) => [
    (records ?? 0) - (tombstones ?? 0) - (stubs ?? 0),
    tombstones ?? 0,
    stubs ?? 0,
  ])
}

const textOf = (held: readonly (readonly number[])[]) => held.map((counts) => counts.join(' ')).join(' / ')

async function fill(): Promise<number> {
  let next = 0
  let added = 0
  const untilMs = performance.now() + Number(values['fill-seconds']) * 1_000
  const worker = async () => {
    while (next < wanted && performance.now() < untilMs) {
      const first = next
      next = Math.min(wanted, first + BATCH)
      let missing = Array.from({ length: next - first }, (_, index) => ({
        memberId: `member-${first + index}`,
      }))
      while (missing.length > 0) {
        const reply = await call('POST', `${groupUrl(url, GROUP)}/members:batch`, { add: missing }, 60_000)
        const results = reply.body.add as readonly { memberId: string; status: number }[] | undefined
        const done = results?.filter(({ status }) => status < 300) ?? []
        added += done.length
        missing = results === undefined ? missing : results.filter(({ status }) => status >= 300)
        missing = missing.map(({ memberId }) => ({ memberId }))
        if (missing.length > 0) await sleep(100)
      }
    }
  }
  const timer = setInterval(() => log(`${added} members`), SHOW_MS)
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, worker))
  clearInterval(timer)
  return added
}

assert.equal((await create(url, GROUP)).status, 201)
const fillMs = performance.now()
const added = await fill()
const fillSeconds = secondsSince(fillMs)
log(
  `${added} members were added, ${(added / fillSeconds).toFixed(0)}/s; nodes hold ${textOf(await holdings())}`,
)
assert.equal((await call('GET', memberUrl(added - 1))).status, 200)

const deleteMs = performance.now()
assert.equal((await remove(url, GROUP)).status, 200)
const tookMs = performance.now() - deleteMs
const checkMs = performance.now()
const check = await call('GET', memberUrl(added - 1))
const checkedMs = performance.now() - checkMs
assert.equal(check.body.code, 'group_not_found')
log(`the group is deleted in ${tookMs.toFixed(1)} ms; a check says so at once (${checkedMs.toFixed(1)} ms)`)

let sweptSeconds: number | undefined
let goneSeconds: number | undefined
let held = await holdings()
let shownMs = performance.now()
while (goneSeconds === undefined && secondsSince(deleteMs) < Number(values['litter-seconds'])) {
  await sleep(POLL_MS)
  held = await holdings()
  // What the cluster keeps of itself is a record on each node: its membership.
  if (held.every(([live]) => live! <= 1)) sweptSeconds ??= secondsSince(deleteMs)
  if (held.every(([live, tombstones, stubs]) => live! <= 1 && tombstones === 0 && stubs === 0))
    goneSeconds = secondsSince(deleteMs)
  if (performance.now() - shownMs < SHOW_MS) continue
  shownMs = performance.now()
  log(`live, tombstones, stubs: ${textOf(held)}`)
}
const within = (seconds: number | undefined) =>
  seconds === undefined
    ? `not within ${values['litter-seconds']} s: live, tombstones, stubs ${textOf(held)}`
    : `${seconds.toFixed(0)} s`

console.log(
  `\n${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; load ${loadavg()[0]!.toFixed(1)}; ` +
    `grace time ${values.grace} s\n`,
)
console.log('| a group with so many members | |')
console.log('| --- | --- |')
console.log(`| members | ${added}, added with ${(added / fillSeconds).toFixed(0)}/s |`)
console.log(`| deleted in | ${tookMs.toFixed(1)} ms |`)
console.log(`| no node holds a member or an entry any more, after | ${within(sweptSeconds)} |`)
console.log(`| no node holds a tombstone of them any more, after | ${within(goneSeconds)} |`)
