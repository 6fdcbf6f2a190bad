/** What the HTTP layer must know of the nodes behind the registry. */
export interface ClusterView {
  /** Whether a classic quorum of nodes answers. */
  isReady(): boolean
}
