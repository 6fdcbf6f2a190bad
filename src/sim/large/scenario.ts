import type { RepairLimits } from '../../upkeep/repair/repair.ts'
import type { Chance } from '../chance.ts'
import type { Weather } from './network.ts'

/** How much of a world there is, at most: for shorter runs of the same seed. */
export type LargeBounds = Readonly<{
  keysMax: number
  clientsMax: number
  operationsMax: number
  /** Changes of the membership, and disks lost, that are tried. */
  changesMax: number
}>

/** What any seed keeps within. */
export const LARGE_BOUNDS: LargeBounds = { keysMax: 6, clientsMax: 16, operationsMax: 400, changesMax: 100 }

/** How many nodes a cluster is born on: one of these. */
export const NODE_COUNTS: readonly number[] = [3, 3, 4, 5, 7]

/** How many operation timeouts make a grace time. */
const TIMEOUTS_PER_GRACE = 10

/** What a world is like, as it is drawn at its begin. */
export type Scenario = Readonly<{
  nodeCount: number
  connectorCount: number
  groupIds: readonly string[]
  clientCount: number
  operationsMax: number
  /** Between the end of a client's operation and its next one, on average. */
  thinkMs: number
  viewCacheBytesMax: number
  viewAgeMsMax: number
  repairLimits: RepairLimits
  /** Nothing is repaired in the background until all heals: nodes lag for as long as clients let them. */
  isRepairLate: boolean
  weather: Weather
  /** Clocks run apart without bound, and jump. */
  hasDrift: boolean
  operationTimeoutMs: number
  /**
   * `undefined`: tombstones stay. They do where clocks run apart without bound: a grace time is by a clock.
   */
  graceMs: number | undefined
  /** Whether the run goes on until all is removed: that is long, and little happens. */
  isRemovalAwaited: boolean
  /** Clients work on one or two groups at a time, so that the others are left alone for a while. */
  isWandering: boolean
  /** Faults happen from the start, and not only when the cluster is born. */
  isBirthHard: boolean
  /** Between two changes of the membership that are tried, on average; `undefined`: it stays as it is. */
  changePauseMs: number | undefined
  changesMax: number
}>

export function drawScenario(chance: Chance, nodeCounts: readonly number[], bounds: LargeBounds): Scenario {
  const nodeCount = chance.of(nodeCounts)
  // Drawn first and bounded then, so that what follows is drawn as in the whole run.
  const groupIds = ['a', 'b', 'c', 'd', 'e', 'f'].slice(0, chance.between(1, 6)).slice(0, bounds.keysMax)
  const clientCount = Math.min(chance.between(3, 16), bounds.clientsMax)
  const operationsMax = Math.min(chance.between(100, 400), bounds.operationsMax)
  const thinkMs = chance.of([0, 1, 10, 100])
  // Room for one key, some keys, and all of them.
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
  // Short, so that much is removed while everything fails; but no shorter than a few round trips.
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
