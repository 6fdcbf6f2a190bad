/**
 * Examples for the API's description: a cluster of three nodes, of which one does not answer. A test checks
 * them against their schemas.
 */
import type { ClusterStatus, GroupReplicas, MemberStatus, ReplicaView } from './status-schemas.ts'

const NODES = [
  { nodeId: '7f9c24e0-2f1b-4d0a-8c37-5b6d1e9a0c44', address: '127.0.0.1:8001' },
  { nodeId: 'b1d5c0a7-93e4-4a6e-b0d9-1f7a2c8e3d55', address: '127.0.0.1:8002' },
  { nodeId: 'e4a8f3c2-6b07-4f9d-a1c5-8d2e7b904f66', address: '127.0.0.1:8003' },
] as const

const UP = {
  role: 'voting',
  progress: null,
  reachable: true,
  suspect: false,
  latencyMs: { p50: 0.84, p99: 3.1 },
  lag: 0,
  records: 12_345,
  tombstones: 17,
  stubs: 0,
  damaged: 0,
  healed: 0,
  version: '0.1.0',
  epoch: 1,
  problem: null,
} satisfies Partial<MemberStatus>

export const CLUSTER_EXAMPLE: ClusterStatus = {
  verdict: 'degraded',
  reason: '2 of 3 nodes answer, which is enough, but none of them may fail (no answer from 127.0.0.1:8003).',
  clusterId: '0f2b7c51-8d0e-4b55-9f3a-4c8d1a6e7b90',
  epoch: 1,
  quorum: 2,
  change: null,
  replacement: null,
  members: [
    { ...NODES[0], ...UP },
    { ...NODES[1], ...UP },
    {
      ...NODES[2],
      ...UP,
      reachable: false,
      suspect: true,
      latencyMs: null,
      lag: null,
      records: null,
      tombstones: null,
      stubs: null,
      damaged: null,
      healed: null,
      version: null,
      epoch: null,
      problem: 'It does not answer.',
    },
  ],
  notices: [],
  divergences: { count: 0, first: [] },
}

const HELD = {
  holds: 'group',
  version: 1,
  generation: 1,
  writeId: { proposerId: 1_234_567, sequence: 42, text: '1234567.42' },
  ballot: { round: 1, proposerId: 0, text: '1.fast' },
  chosen: true,
  promised: { round: 2, proposerId: 0, text: '2.fast' },
} satisfies Partial<ReplicaView>

const UNREACHABLE = {
  holds: 'unreachable',
  version: null,
  generation: null,
  writeId: null,
  ballot: null,
  chosen: null,
  promised: null,
} satisfies Partial<ReplicaView>

export const REPLICAS_EXAMPLE: GroupReplicas = {
  groupId: 'payments',
  agree: false,
  differ: false,
  reason: 'The 2 nodes that answer hold the same state, version 1; 1 node does not answer.',
  replicas: [
    { ...NODES[0], ...HELD },
    { ...NODES[1], ...HELD },
    { ...NODES[2], ...UNREACHABLE },
  ],
}
