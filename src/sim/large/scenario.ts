import type { RepairLimits } from '../../upkeep/repair/repair.ts'
import type { Chance } from '../chance.ts'
import type { Weather } from './network.ts'

/** The largest size of a world. Smaller bounds give shorter runs of the same seed. */
export type LargeBounds = Readonly<{
  keysMax: number
  clientsMax: number
  operationsMax: number
  /** The number of changes of the membership, and of losses of disks, that are tried. */
  changesMax: number
}>

/** The bounds that every seed keeps. */
export const LARGE_BOUNDS: LargeBounds = { keysMax: 6, clientsMax: 16, operationsMax: 400, changesMax: 100 }

/** The numbers of nodes on which a cluster may be formed; one of these is drawn. */
export const NODE_COUNTS: readonly number[] = [3, 3, 4, 5, 7]

/** The grace time is this many operation timeouts. */
const TIMEOUTS_PER_GRACE = 10

/** The properties of a world, which are drawn when it begins. */
export type Scenario = Readonly<{
  nodeCount: number
  connectorCount: number
  groupIds: readonly string[]
  clientCount: number
  operationsMax: number
  /** The average time between the end of a client's operation and its next one. */
  thinkMs: number
  viewCacheBytesMax: number
  viewAgeMsMax: number
  repairLimits: RepairLimits
  /**
   * Whether background repair starts only when all faults are healed: until then, nodes stay out of date
   * unless clients' operations repair them.
   */
  isRepairLate: boolean
  weather: Weather
  /** Whether clocks drift without bound and jump. */
  hasDrift: boolean
  operationTimeoutMs: number
  /**
   * `undefined`: tombstones stay. This is so where clocks drift without bound, because a clock measures the
   * grace time.
   */
  graceMs: number | undefined
  /**
   * Whether the run goes on until all tombstones are removed. That takes long, and little happens in that
   * time.
   */
  isRemovalAwaited: boolean
  /** Whether clients work on one or two groups at a time, so that the others rest for a while. */
  isWandering: boolean
  /** Whether faults happen from the start, and not only after the cluster is formed. */
  isBirthHard: boolean
  /** The average time between two attempts to change the membership; `undefined`: it does not change. */
  changePauseMs: number | undefined
  changesMax: number
}>

export function drawScenario(chance: Chance, nodeCounts: readonly number[], bounds: LargeBounds): Scenario {
  const nodeCount = chance.of(nodeCounts)
  // The number is drawn first and bounded afterwards, so that all later draws are the same as in the whole
  // run.
  const groupIds = ['a', 'b', 'c', 'd', 'e', 'f'].slice(0, chance.between(1, 6)).slice(0, bounds.keysMax)
  const clientCount = Math.min(chance.between(3, 16), bounds.clientsMax)
  const operationsMax = Math.min(chance.between(100, 400), bounds.operationsMax)
  const thinkMs = chance.of([0, 1, 10, 100])
  // Room for one key, for some keys, or for all keys.
  const viewCacheBytesMax = chance.of([2_500, 7_500, 250_000])
  const viewAgeMsMax = chance.of([20, 500, 60_000])
  const hasDrift = chance.happens(0.5)
  const repairLimits = {
    intervalMs: chance.of([100, 1_000]),
    secondLookMs: chance.of([20, 300]),
    keysPerSecondMax: chance.of([50, 6_000]),
    keysInFlightMax: chance.of([1, 256]),
  }
  const latencyMs = chance.of([0.2, 1, 5])
  const weather: Weather = {
    latencyMs: [latencyMs / 2, latencyMs * chance.of([1, 2, 10])],
    stallRate: chance.of([0, 0.001, 0.02]),
    stallMsMax: chance.of([20, 500, 5_000]),
  }
  // Short, so that much is removed while there are faults; but not shorter than a few round trips.
  const leastTimeoutMs = Math.max(100, 20 * weather.latencyMs[1])
  const operationTimeoutMs = hasDrift ? 3_000 : leastTimeoutMs * chance.of([1, 2])
  const isRemovalAwaited = chance.happens(0.2)
  const isWandering = chance.happens(0.1)
  const graceMs = hasDrift ? undefined : TIMEOUTS_PER_GRACE * operationTimeoutMs
  const changePauseMs = chance.of([undefined, undefined, 50, 300, 2_000])
  // Long enough for a number of changes to be made.
  const pace = changePauseMs === undefined ? thinkMs : changePauseMs * chance.of([0.1, 0.4])
  return {
    nodeCount,
    connectorCount: chance.between(2, 4),
    groupIds,
    clientCount,
    operationsMax,
    thinkMs: isWandering && graceMs !== undefined ? chance.uniform() * graceMs : pace,
    viewCacheBytesMax,
    viewAgeMsMax,
    repairLimits,
    weather,
    hasDrift,
    operationTimeoutMs,
    graceMs,
    isRemovalAwaited,
    isWandering,
    isBirthHard: chance.happens(0.25),
    isRepairLate: chance.happens(0.3),
    changePauseMs,
    changesMax: bounds.changesMax,
  }
}
