/**
 * Rounds of creating groups as fast as possible, killing every process at a random moment, and looking for
 * the acknowledged groups: `npm run durability -- --rounds 200`.
 *
 * After SIGKILL, data that a process has not given to the system are lost, but not data that the system has
 * not written to the disk yet. The simulator shows that an answer waits for the disk too.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { CreateLoad, missingOf } from './load.ts'
import { LocalCluster, untilReady } from './local-cluster.ts'

/** One round, and what was found in it. */
export type Round = Readonly<{
  round: number
  /** How long the load ran before the kill, in milliseconds. */
  loadMs: number
  /** How many creates were answered 201. */
  acknowledged: number
  /** The ids of those groups that were missing after the restart. */
  lost: readonly string[]
}>

export type DurabilityOptions = Readonly<{
  rounds: number
  /** Creates at a time. */
  clients: number
  /** The kill happens at a random moment, at most this many milliseconds after the first create. */
  loadMsMax: number
  onRound: (round: Round) => void
}>

/** Counts of all rounds. `lost` has the ids of all groups that are missing after the last round. */
export type Durability = Readonly<{ rounds: number; acknowledged: number; lost: readonly string[] }>

/** Runs the rounds on one cluster, whose data grow from round to round. */
export async function tryDurability(options: DurabilityOptions): Promise<Durability> {
  await using cluster = await LocalCluster.start()
  const { url } = cluster.connectors[0]!
  const acknowledged: string[] = []
  for (let round = 1; round <= options.rounds; round += 1) {
    const load = new CreateLoad(url, `round-${round}`, options.clients, 0)
    const loadMs = Math.random() * options.loadMsMax
    await sleep(loadMs)
    for (const service of cluster.services.toSorted(() => Math.random() - 0.5)) service.signal('SIGKILL')
    await load.stopAfterFailure()
    await Promise.all(cluster.services.map((service) => service.exit()))
    for (const service of cluster.services) service.start()
    await untilReady(cluster.connectors[0]!)
    const lost = await missingOf(url, load.created)
    acknowledged.push(...load.created)
    options.onRound({ round, loadMs, acknowledged: load.created.length, lost })
  }
  const lost = await missingOf(url, acknowledged)
  return { rounds: options.rounds, acknowledged: acknowledged.length, lost }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '200' },
      clients: { type: 'string', default: '32' },
      'load-ms-max': { type: 'string', default: '1000' },
    },
  })
  const { rounds, acknowledged, lost } = await tryDurability({
    rounds: Number(values.rounds),
    clients: Number(values.clients),
    loadMsMax: Number(values['load-ms-max']),
    onRound: (round) =>
      console.log(
        `round ${round.round}: killed after ${round.loadMs.toFixed(0)} ms, ${round.acknowledged} creates ` +
          `acknowledged, ${round.lost.length} lost`,
      ),
  })
  console.log(`${rounds} rounds: ${acknowledged} creates acknowledged, ${lost.length} lost`)
  for (const groupId of lost) console.log(`lost: ${groupId}`)
  process.exitCode = lost.length === 0 && acknowledged > 0 ? 0 : 1
}
