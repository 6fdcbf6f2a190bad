/** What the routes have in common that take many changes in one request. */
import type { Unsent } from './outcome.ts'
import { invalidRequest } from './request-error.ts'
import { ERRORS_MAX, type FieldError } from './validation.ts'

/** The largest body of a batch, in bytes. It is more than the 64 KiB of a single change. */
export const BATCH_BODY_BYTES_MAX = 1_024 * 1_024

/** How many changes of a batch are under way at a time: as many as one batch to a node can have. */
const CHANGES_AT_A_TIME = 128

/**
 * A change that has not begun by then is refused. So a batch takes little longer than one operation, and on a
 * cluster that is slow, few changes have an unknown outcome.
 */
const BEGIN_MS_MAX = 2_000

const NOT_BEGUN: Unsent = {
  code: 'overloaded',
  extras: {
    detail:
      'Nothing was changed, and nothing will be: the changes before it in the batch took so long that this one was not begun.',
    outcome: 'not_applied',
  },
}

/**
 * @param named what the changes are about, each with the field that names it
 * @throws RequestError if two fields have the same name: the order of these changes would be left to chance
 */
export function requireDifferent(named: Iterable<readonly [field: string, name: string]>): void {
  const seen = new Set<string>()
  const errors: FieldError[] = []
  for (const [field, name] of named) {
    if (seen.has(name)) errors.push({ field, message: 'is named twice in this batch' })
    seen.add(name)
  }
  if (errors.length > 0) throw invalidRequest(errors.slice(0, ERRORS_MAX))
}

/** How to make one change of type `C`. */
export type Making<C, R> = Readonly<{
  make: (change: C) => Promise<R>
  /** The result of a change that was not begun. */
  refuse: (change: C, problem: Unsent) => R
}>

/** One batch. Its time to begin changes starts when it is made. */
export class Batch {
  readonly #nowMs: () => number
  readonly #untilMs: number

  /** `nowMs`: milliseconds since some moment; never goes back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#untilMs = nowMs() + BEGIN_MS_MAX
  }

  /** Makes changes side by side. The results are in the order of the changes. */
  async makeAll<C, R>(changes: readonly C[], { make, refuse }: Making<C, R>): Promise<R[]> {
    const results: R[] = []
    const rest = changes.entries()
    const worker = async () => {
      // The workers share one iterator.
      for (const [index, change] of rest)
        results[index] = this.#nowMs() < this.#untilMs ? await make(change) : refuse(change, NOT_BEGUN)
    }
    await Promise.all(Array.from({ length: CHANGES_AT_A_TIME }, worker))
    return results
  }
}
