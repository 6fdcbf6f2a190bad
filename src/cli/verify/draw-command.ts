import type { Command, Sighting } from './operation.ts'

/**
 * Draws the next command. The shares are such that a key is created and deleted again and again, and changed
 * in between.
 *
 * @param random gives numbers in [0, 1)
 */
export function drawCommand(random: () => number, sightings: readonly Sighting[]): Command {
  const share = random()
  if (share < 0.35) return { kind: 'read' }
  if (share < 0.6) return { kind: 'create' }
  const ifMatch = random() < 0.5 ? sightings[Math.floor(random() * sightings.length)] : undefined
  return { kind: share < 0.85 ? 'update' : 'delete', ifMatch }
}
