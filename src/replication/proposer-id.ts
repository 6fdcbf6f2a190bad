import { randomBytes } from 'node:crypto'

/** Draws a proposerId, 1 to 2^52 - 1. Every client draws its own, so that none is used twice. */
export function drawProposerId(): number {
  const drawn = Number(randomBytes(8).readBigUInt64BE() >> 12n)
  // 0 is the owner of fast ballots.
  return drawn === 0 ? drawProposerId() : drawn
}
