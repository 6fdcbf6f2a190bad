import type { KeyOutcome } from './key-repair.ts'
import type { LagSource } from './lag-source.ts'
import { noOutcomes, type OutcomeCounts, type Pass } from './pass.ts'
import type { RepairMember } from './repair-target.ts'

/** What the background repair of this connector has found and done since its start. */
export interface RepairReport extends LagSource {
  /** The number of keys for each outcome. The repaired keys are those `learned` and `settled`. */
  readonly outcomes: OutcomeCounts
  /** When nodes were last compared, by the clock of the connector. `undefined`: not yet. */
  readonly comparedAtMs: number | undefined
}

/** Keeps the figures of the report. */
export class RepairFigures implements RepairReport {
  readonly outcomes = noOutcomes()
  comparedAtMs: number | undefined
  #lag = new Map<string, number>()
  /** How many keys each member lacked per differing leaf in the last pass, on average, by nodeId. */
  #keysPerLeaf = new Map<string, number>()

  /**
   * About how many keys a member lacks: the number of differing leaves, times the number of keys that the
   * member lacked per leaf in the last pass. 0 before the first pass. `undefined`: the member was not
   * compared.
   */
  lagOf(nodeId: string): number | undefined {
    return this.#lag.get(nodeId)
  }

  /**
   * Call it when these members were compared. `leafCount`: in how many leaves they differ for longer than a
   * write takes.
   */
  compared(members: readonly RepairMember[], leafCount: number, nowMs: number): void {
    this.comparedAtMs = nowMs
    if (leafCount === 0) this.#keysPerLeaf.clear()
    this.#lag = new Map(
      members.map(({ nodeId }) => [nodeId, Math.ceil(leafCount * (this.#keysPerLeaf.get(nodeId) ?? 0))]),
    )
  }

  /** Call it when too few members answered to compare anything. */
  notCompared(): void {
    this.#lag.clear()
  }

  passed({ lacking }: Pass, leafCount: number): void {
    this.#keysPerLeaf = new Map([...lacking].map(([nodeId, count]) => [nodeId, count / leafCount]))
  }

  count(outcome: KeyOutcome): void {
    this.outcomes[outcome] += 1
  }
}
