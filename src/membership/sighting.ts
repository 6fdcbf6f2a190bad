import type { Description } from '../rpc/messages.ts'

/** A node that answered: the address, and what the node said about itself. */
export type Sighting = Readonly<{ address: string; description: Description }>

/** Whether a node belongs to no cluster and holds nothing: only such a node may become a member. */
export function isEmpty({ membership, recordCount }: Description): boolean {
  return membership === undefined && recordCount === 0
}
