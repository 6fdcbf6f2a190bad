/** How tests find out that a broken rule is noticed. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

/** `seed`: one that showed the failure before. If the code has changed and it does not, others do. */
export type Suspects = Readonly<{ seed: number; firstSeed?: number; seedsMax: number }>

/**
 * Asserts that one of the seeds shows a failure, and says which: first the known one, because a search from
 * the first seed takes seconds, and then all others.
 *
 * @returns the failure
 */
export async function assertNoticed(
  t: TestContext,
  { seed: known, firstSeed = 1, seedsMax }: Suspects,
  failureOf: (seed: number) => Promise<Error | undefined> | Error | undefined,
): Promise<Error> {
  const failure = await failureOf(known)
  if (failure !== undefined) {
    t.diagnostic(`seed ${known}: ${failure.message}`)
    return failure
  }
  for (let seed = firstSeed; seed < firstSeed + seedsMax; seed += 1) {
    const found = await failureOf(seed)
    if (found === undefined) continue
    t.diagnostic(`seed ${seed}, and not ${known} any more: write it down there. ${found.message}`)
    return found
  }
  return assert.fail(`not noticed in ${seedsMax} seeds`)
}
