import { randomBytes } from 'node:crypto'

/** Draws a proposerId, 1 to 2^52 - 1. Each life of a proposer draws its own: none is ever used twice. */
export function drawProposerId(): number {
  const drawn = Number(randomBytes(8).readBigUInt64BE() >> 12n)
  // 0 is the owner of fast ballots.
  return drawn === 0 ? drawProposerId() : drawn
}
