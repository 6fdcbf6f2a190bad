import type { Command, Sighting } from './operation.ts'

/** The members that the groups of a run have. Few, so that operations meet. */
export const MEMBER_IDS = ['alice', 'bob'] as const

/**
 * Draws the next command. The shares are such that a group is created and deleted again and again, and that
 * it and its members are changed in between.
 *
 * @param random gives numbers in [0, 1)
 */
export function drawCommand(
  random: () => number,
  { sightings, hasMembers }: Readonly<{ sightings: readonly Sighting[]; hasMembers: boolean }>,
): Command {
  if (hasMembers && random() < 0.5) return drawMemberCommand(random)
  const share = random()
  if (share < 0.35) return { kind: 'read' }
  if (share < 0.6) return { kind: 'create' }
  const ifMatch = random() < 0.5 ? sightings[Math.floor(random() * sightings.length)] : undefined
  return { kind: share < 0.85 ? 'update' : 'delete', ifMatch }
}

function drawMemberCommand(random: () => number): Command {
  const memberId = MEMBER_IDS[Math.floor(random() * MEMBER_IDS.length)]!
  const share = random()
  if (share < 0.4) return { kind: 'check', memberId }
  if (share < 0.6) return { kind: 'add', memberId }
  return { kind: share < 0.75 ? 'put' : 'remove', memberId }
}
