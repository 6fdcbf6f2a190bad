/**
 * Rounds of flipping random bits in records on the disk of one stopped node after the other, under load:
 * `npm run damage -- --minutes 60`.
 *
 * `cohort verify` changes and reads some groups all the time, and judges whether what it is told is
 * linearizable. Other clients create groups, remember how each was answered, and read them again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { connectGrpc } from '../../src/rpc/grpc-transport.ts'
import type { Description } from '../../src/rpc/messages.ts'
import { clusterStatus } from './cluster-status.ts'
import { startCommand } from './command.ts'
import { damagedCount, flipBits } from './disk-contents.ts'
import { create, forEach, read } from './load.ts'
import { LocalCluster } from './local-cluster.ts'
import type { Service } from './service.ts'
import { until } from './waiting.ts'

/** One round, and what was found in it. */
export type DamageRound = Readonly<{ round: number; spoiled: number; healed: number; healedMs: number }>

export type DamageOptions = Readonly<{
  minutes: number
  /** Bits that one disk flips at a time, at most: in the rows of records, beside their keys. */
  flipsMax: number
  /**
   * How long records may take to heal, and nodes to be back, in milliseconds. The counts tell whether all
   * heals, and not how quickly: on a busy machine this is minutes.
   */
  patienceMs: number
  onRound: (round: DamageRound) => void
}>

export type DamageCounts = Readonly<{
  rounds: number
  /** Records that a disk has spoiled. */
  spoiled: number
  /** Those that had not healed after `patienceMs`, and those that are damaged at the end. */
  unhealed: number
  /** Groups that were created, and read again. */
  acknowledged: number
  reads: number
  /** Answers that were not what was acknowledged; and 1 more if `cohort verify` found its history wrong. */
  wrong: number
  /** Processes that ended by themselves. */
  dead: number
  /** What `cohort verify` said at its end. */
  verdict: string
}>

/** What `cohort verify` takes beyond its time. */
const VERIFY_END_MS = 60_000
const CLIENTS = 2
const PAUSE_MS = 20
const READS_PER_ROUND = 300

/** Runs the rounds on one cluster, whose data grow from round to round. */
export async function tryDamage(options: DamageOptions): Promise<DamageCounts> {
  const { minutes, flipsMax, patienceMs, onRound } = options
  await using cluster = await LocalCluster.start({ scrubSeconds: 2 })
  const { url } = cluster.connectors[0]!
  const seconds = Math.ceil(minutes * 60)
  await using verify = startCommand('verify', '--seconds', String(seconds), '--url', url)
  const endMs = performance.now() + seconds * 1_000
  const stop = new AbortController()
  const answers = new Map<string, object>()
  const clients = Array.from({ length: CLIENTS }, (_, index) =>
    createGroups(url, `damage-${index}`, answers, stop.signal),
  )
  const counts = { rounds: 0, spoiled: 0, unhealed: 0, reads: 0, wrong: 0 }
  await sleep(2_000)
  while (performance.now() < endMs - 2_000) {
    const index = counts.rounds % cluster.nodes.length
    const node = cluster.nodes[index]!
    await until('all nodes are there, and no record is damaged', patienceMs, () => isWhole(cluster))
    await node.end('SIGTERM')
    const spoiled = flipBits(cluster.dataDirectory(index), 1 + Math.floor(Math.random() * flipsMax))
    node.start()
    const startMs = performance.now()
    let healed = 0
    while (healed < spoiled && performance.now() - startMs < patienceMs) {
      await sleep(200)
      // The node itself: what a connector shows may be from before the restart.
      healed = await describe(node).then(
        ({ healedCount }) => healedCount,
        () => 0,
      )
    }
    const { reads, wrong } = await readAgain(url, answers)
    counts.rounds += 1
    counts.spoiled += spoiled
    counts.unhealed += Math.max(0, spoiled - healed)
    counts.reads += reads
    counts.wrong += wrong
    onRound({ round: counts.rounds, spoiled, healed, healedMs: performance.now() - startMs })
  }
  stop.abort()
  await Promise.all(clients)
  const exitCode = await verify.exit(VERIFY_END_MS)
  const { reads, wrong } = await readAgain(url, answers, answers.size)
  const dead = cluster.services.flatMap(({ exitCodes }) => exitCodes.filter((code) => code !== 0)).length
  const stopped = cluster.services.filter(({ isRunning }) => !isRunning).length
  // The nodes are not asked: what their disks hold is looked at.
  await Promise.all(cluster.nodes.map((node) => node.end('SIGTERM')))
  const left = cluster.nodes.map((_, index) => damagedCount(cluster.dataDirectory(index)))
  return {
    ...counts,
    unhealed: counts.unhealed + left.reduce((sum, count) => sum + count, 0),
    acknowledged: answers.size,
    reads: counts.reads + reads,
    wrong: counts.wrong + wrong + (exitCode === 0 ? 0 : 1),
    dead: dead + stopped,
    verdict: /^verdict +(.*)$/m.exec(verify.output)?.[1] ?? verify.output.slice(-500),
  }
}

async function describe({ address }: Service): Promise<Description> {
  const transport = connectGrpc(address)
  try {
    return await transport.describe(1_000)
  } finally {
    transport.close()
  }
}

/** A disk spoils records only then: a group with two damaged records of three would be lost. */
async function isWhole({ nodes, connectors }: LocalCluster): Promise<boolean> {
  try {
    const described = await Promise.all(nodes.map(describe))
    const { verdict } = await clusterStatus(connectors[0]!.url)
    return verdict === 'healthy' && described.every(({ damagedCount }) => damagedCount === 0)
  } catch {
    return false
  }
}

/** Creates groups, one after the other, and keeps the answer to each. */
async function createGroups(
  url: string,
  prefix: string,
  answers: Map<string, object>,
  signal: AbortSignal,
): Promise<void> {
  for (let count = 1; !signal.aborted; count += 1) {
    const groupId = `${prefix}-${count}`
    const { status, body } = await create(url, groupId)
    if (status === 201) answers.set(groupId, body)
    await sleep(PAUSE_MS)
  }
}

/** Reads some of the groups again, by default as many as in each round. A refusal is no wrong answer. */
async function readAgain(
  url: string,
  answers: ReadonlyMap<string, object>,
  count = READS_PER_ROUND,
): Promise<Readonly<{ reads: number; wrong: number }>> {
  const groupIds = [...answers.keys()].sort(() => Math.random() - 0.5).slice(0, count)
  let wrong = 0
  await forEach(groupIds, async (groupId) => {
    const { status, body } = await read(url, groupId)
    const isAnswer = status === 200 || status === 404
    if (isAnswer && !(status === 200 && isDeepStrictEqual(body, answers.get(groupId)))) wrong += 1
  })
  return { reads: groupIds.length, wrong }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '60' },
      'flips-max': { type: 'string', default: '100' },
      'patience-seconds': { type: 'string', default: '60' },
    },
  })
  const counts = await tryDamage({
    minutes: Number(values.minutes),
    flipsMax: Number(values['flips-max']),
    patienceMs: Number(values['patience-seconds']) * 1_000,
    onRound: ({ round, spoiled, healed, healedMs }) =>
      console.log(
        `round ${round}: ${spoiled} records spoiled, ${healed} healed after ${healedMs.toFixed(0)} ms`,
      ),
  })
  console.log(counts)
  const { wrong, dead, unhealed, spoiled } = counts
  process.exitCode = wrong + dead + unhealed === 0 && spoiled > 0 ? 0 : 1
}
