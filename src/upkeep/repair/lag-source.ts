/** How many keys a member lacks, as background repair counts them; `undefined` until it knows. */
export interface LagSource {
  lagOf(nodeId: string): number | undefined
}
