/** Estimates how many keys a member lacks. `undefined`: background repair does not know. */
export interface LagSource {
  lagOf(nodeId: string): number | undefined
}
