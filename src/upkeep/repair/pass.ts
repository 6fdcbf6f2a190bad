import type { DifferingKey } from './differing-keys.ts'
import type { KeyOutcome } from './key-repair.ts'
import type { RepairMember } from './repair-target.ts'

/** The number of keys for each outcome. */
export type OutcomeCounts = Readonly<{ [K in KeyOutcome]: number }>

/** What one pass of repair finds and does. */
export class Pass {
  readonly outcomes = noOutcomes()
  /** How many of the differing keys each member lacked, by nodeId. */
  readonly lacking: Map<string, number>

  constructor(members: readonly RepairMember[]) {
    this.lacking = new Map(members.map(({ nodeId }) => [nodeId, 0]))
  }

  get repairedCount(): number {
    return this.outcomes.learned + this.outcomes.settled
  }

  found({ lagging }: DifferingKey): void {
    for (const { nodeId } of lagging) this.lacking.set(nodeId, this.lacking.get(nodeId)! + 1)
  }

  count(outcome: KeyOutcome): void {
    this.outcomes[outcome] += 1
  }
}

export function noOutcomes(): { [K in KeyOutcome]: number } {
  return { equal: 0, learned: 0, settled: 0, diverged: 0, failed: 0 }
}
