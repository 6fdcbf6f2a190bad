/** The cluster as this connector sees it. `address` is host:port. */
export type ClusterDescription = Readonly<{
  clusterId: string
  epoch: number
  members: readonly Readonly<{ nodeId: string; address: string; reachable: boolean }>[]
}>

/** What the HTTP layer may know of the nodes behind the registry. */
export interface ClusterView {
  /** Whether a classic quorum of nodes answers. */
  isReady(): boolean
  /** `undefined` until the cluster is found. */
  describe(): ClusterDescription | undefined
}
