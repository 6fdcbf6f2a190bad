import type { Protocol } from '../protocol.ts'
import { nameOf } from '../small/shrink.ts'
import { LARGE_BOUNDS, type LargeBounds } from './scenario.ts'
import { type LargeOptions, runLarge } from './world.ts'

/** The values to try for each bound, in the order in which the bounds are shrunk. */
const CANDIDATES: Readonly<{ [name in keyof LargeBounds]: readonly number[] }> = {
  keysMax: [1, 2, 3, 4, 5],
  clientsMax: [1, 2, 4, 8],
  operationsMax: [5, 10, 20, 40, 80, 160],
  changesMax: [0, 1, 2, 4, 8, 16],
}

/**
 * Returns the smallest world it finds in which the same seed breaks the same rule: it reduces the keys, the
 * clients and the operations, one after the other. A smaller world runs differently, so it is a matter of
 * luck how far this goes; in the worst case nothing is left out.
 */
export async function shrinkLarge(
  seed: number,
  protocol: Protocol,
  failure: Error | undefined,
  options: LargeOptions = {},
): Promise<LargeBounds> {
  let least = LARGE_BOUNDS
  for (const name of Object.keys(CANDIDATES) as (keyof LargeBounds)[]) {
    for (const value of CANDIDATES[name]) {
      const bounds = { ...least, [name]: value }
      const shorter = await runLarge(seed, protocol, { ...options, bounds })
      if (nameOf(shorter.failure) !== nameOf(failure)) continue
      least = bounds
      break
    }
  }
  return least
}
