import type { KeyOutcome } from './key-repair.ts'
import type { LagSource } from './lag-source.ts'
import { noOutcomes, type OutcomeCounts, type Pass } from './pass.ts'
import type { RepairMember } from './repair-target.ts'

/** What background repair of this connector has found and done since its start. */
export interface RepairReport extends LagSource {
  /** Repaired keys are those `learned` and `settled`. */
  readonly outcomes: OutcomeCounts
  /** When nodes were last compared, by the connector's clock; `undefined`: never. */
  readonly comparedAtMs: number | undefined
}

/** Keeps the figures. */
export class RepairFigures implements RepairReport {
  readonly outcomes = noOutcomes()
  comparedAtMs: number | undefined
  #lag = new Map<string, number>()
  /** Keys that a member lacks in each leaf that differs, as the last pass has found. */
  #keysPerLeaf = new Map<string, number>()

  /**
   * About how many keys a member lacks: the leaves that differ, times what it lacked in each that the last
   * pass has gone through. Before a pass has told which member it is, 0; `undefined` while the member does
   * not answer, or no other.
   */
  lagOf(nodeId: string): number | undefined {
    return this.#lag.get(nodeId)
  }

  /** These members were compared; in so many leaves they differ for longer than a write takes. */
  compared(members: readonly RepairMember[], leafCount: number, nowMs: number): void {
    this.comparedAtMs = nowMs
    if (leafCount === 0) this.#keysPerLeaf.clear()
    this.#lag = new Map(
      members.map(({ nodeId }) => [nodeId, Math.ceil(leafCount * (this.#keysPerLeaf.get(nodeId) ?? 0))]),
    )
  }

  /** There was nothing to compare. */
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
