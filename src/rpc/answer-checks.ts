/**
 * Checks that an answer fits its request. An answer that can be read but does not fit is malformed too.
 */
import { compareKeys } from './key-order.ts'
import { SCAN_PAGE_RECORDS_MAX } from './limits.ts'
import {
  BRANCH_COUNT,
  type DigestAnswer,
  type DigestRequest,
  type HeldEntry,
  LEAVES_PER_BRANCH,
  type ScanRange,
} from './messages.ts'
import { refuse } from './wire.ts'

/** @throws {WireError} */
export function checkDigestAnswer({ digests, mismatch }: DigestAnswer, { branches }: DigestRequest): void {
  if (mismatch !== undefined) {
    if (digests.length > 0) refuse('a digest answer has both digests and a mismatch')
    return
  }
  const expected = branches.length === 0 ? BRANCH_COUNT : branches.length * LEAVES_PER_BRANCH
  if (digests.length !== expected)
    refuse(`a digest answer has ${digests.length} digests instead of ${expected}`)
}

/**
 * Checks the pages of one scan, in their order. Each key must be after all keys before it, so that a scan
 * ends.
 */
export class ScanCheck {
  readonly #range: ScanRange
  #last: string | undefined
  #count = 0

  constructor(range: ScanRange) {
    this.#range = range
  }

  /** @throws {WireError} */
  page(entries: readonly HeldEntry[]): void {
    const { start, end, limit } = this.#range
    if (entries.length > SCAN_PAGE_RECORDS_MAX)
      refuse(`a page of a scan has more than ${SCAN_PAGE_RECORDS_MAX} records`)
    this.#count += entries.length
    if (limit !== undefined && this.#count > limit)
      refuse(`a scan has more records than the ${limit} that were asked for`)
    for (const { key } of entries) {
      if (this.#last !== undefined && compareKeys(key, this.#last) <= 0)
        refuse(`a scan is out of order: '${key}' comes after '${this.#last}'`)
      if (compareKeys(key, start) < 0 || (end !== '' && compareKeys(key, end) >= 0))
        refuse(`a scan shows '${key}', which is not in its range`)
      this.#last = key
    }
  }
}
