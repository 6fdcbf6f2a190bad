import type { Command, Operation, Outcome } from './operation.ts'

/** All kinds of operations: those on groups, then those on members. */
export const KINDS = [
  'create',
  'read',
  'update',
  'delete',
  'add',
  'put',
  'check',
  'remove',
] as const satisfies readonly Command['kind'][]

const OUTCOMES: readonly Outcome[] = ['done', 'refused', 'not_applied', 'unknown', 'unanswered']

/** Counts the operations of a run by kind and outcome. */
export class VerifyTally {
  readonly #counts = new Map<string, number>()
  readonly #problems = new Map<string, number>()
  /** The number of operations that have ended. */
  total = 0

  add({ command, outcome, problem }: Pick<Operation, 'command' | 'outcome' | 'problem'>): void {
    this.total += 1
    increment(this.#counts, `${command.kind} ${outcome}`)
    if (problem !== undefined) increment(this.#problems, problem)
  }

  count(kind: Command['kind'], outcome: Outcome): number {
    return this.#counts.get(`${kind} ${outcome}`) ?? 0
  }

  /** The number of operations of this kind, with any outcome. */
  countAll(kind: Command['kind']): number {
    return OUTCOMES.reduce((sum, outcome) => sum + this.count(kind, outcome), 0)
  }

  /** The number of operations of all kinds with this outcome. */
  sum(outcome: Outcome): number {
    return KINDS.reduce((sum, kind) => sum + this.count(kind, outcome), 0)
  }

  /** Why operations were not done, and how often; the most frequent reason first. */
  get problems(): readonly (readonly [string, number])[] {
    return [...this.#problems].sort(([, a], [, b]) => b - a)
  }
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
