import type { Judgement } from './judge-history.ts'

/** The judgements on the keys of a run. It is updated while the run goes on. */
export type Findings = {
  /** How many keys were found linearizable. */
  linearizable: number
  /** For how many keys the search for an order was given up. */
  undecided: number
  violations: { key: string; judgement: Extract<Judgement, { kind: 'violated' }> }[]
}

/** The findings at the start of a run. */
export function noFindings(): Findings {
  return { linearizable: 0, undecided: 0, violations: [] }
}
