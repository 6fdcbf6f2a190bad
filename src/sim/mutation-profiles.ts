/**
 * The worlds that best show that a rule is broken: a rare failure needs many faults of one kind and few of
 * the others.
 */
import { PROFILE, type Profile, STABLE, WHOLE } from './small/profile.ts'

export const THREE_NODES: Profile = { ...STABLE, nodeCounts: [3] }

export const FIVE_NODES: Profile = { ...STABLE, nodeCounts: [5] }

/** So many writes that the writes during one operation can fill the whole lineage. */
export const LONG: Profile = {
  ...THREE_NODES,
  connectorCount: [3, 4],
  operationCount: [100, 120],
  stepsPerOperation: [8, 14],
}

/** Groups are created and deleted, and their tombstones are removed. */
export const REMOVAL: Profile = {
  ...THREE_NODES,
  connectorCount: [2, 3],
  operationCount: [6, 14],
  stepsPerOperation: [10, 40],
  looks: [0.3, 1],
  emphases: ['create', 'delete', 'delete'],
}

/** The membership changes all the time, while groups are created, deleted, and removed. */
export const CHANGING: Profile = { ...WHOLE, changesMax: [1, 2, 4] }

/**
 * The members of a cluster of three change often and fast, and few operations come between the changes: keys
 * that were not sealed stay unsealed.
 */
export const HANDOVERS: Profile = {
  ...CHANGING,
  nodeCounts: [3],
  connectorCount: [3, 4],
  operationCount: [2, 5],
  stepsPerOperation: [5, 15],
  looks: [0],
  changesMax: [4],
  emphases: ['create', 'update'],
  changes: { ...PROFILE.changes, haste: [0.95] },
  weights: {
    lose: 0,
    watch: 0,
    crash: 0.05,
    restart: 0.2,
    show: 0.2,
    'lose disk': 0,
    expire: 0,
    repeat: 0,
    'crash on': 0,
  },
}

/** Connectors learn of every epoch at once, and clients' operations arrive while the epoch changes. */
export const VIEWS: Profile = {
  ...HANDOVERS,
  connectorCount: [2, 3],
  stepsPerOperation: [30, 60],
  changesMax: [2],
  changes: { ...HANDOVERS.changes, isEmptyAtFirst: [true] },
  weights: {
    ...HANDOVERS.weights,
    deliver: 2,
    suspect: 0.1,
    crash: 0,
    discover: 0.2,
    transfer: 0.3,
    'lose disk': 0.05,
  },
}

/** One connector learns late of new epochs, and one node receives writes late. */
export const LATE: Profile = {
  ...CHANGING,
  nodeCounts: [3],
  connectorCount: [3, 4],
  operationCount: [2, 5],
  looks: [0],
  emphases: ['create'],
  changes: { ...PROFILE.changes, laggards: [{ node: true, connector: true }], steps: 150 },
  weights: {
    deliver: 2,
    suspect: 0.2,
    crash: 0.05,
    restart: 0.2,
    discover: 0.02,
    transfer: 0.3,
    'lose disk': 0,
    replace: 0,
    expire: 0,
  },
}

/** One of five members is removed. */
export const SHRINKING: Profile = {
  ...CHANGING,
  nodeCounts: [5],
  operationCount: [3, 6],
  looks: [0],
  changesMax: [1],
  changes: { ...PROFILE.changes, kinds: ['remove'], haste: [0.5], steps: 50 },
}

/** Disks spoil records again and again. */
export const DAMAGED: Profile = { ...THREE_NODES, damages: [0.05, 0.1, 0.3] }

/** The membership changes, and a node is wrong about it. */
export const INVENTING: Profile = { ...CHANGING, nodeCounts: [3, 4], inventions: [0.02, 0.1] }
